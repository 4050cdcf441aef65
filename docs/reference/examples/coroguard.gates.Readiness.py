from pathlib import Path

from coroguard.gates import run_gates

readiness = run_gates(Path("/no/such/project"))
assert not readiness.ready
assert readiness.exit_code == 2
