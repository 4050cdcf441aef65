from pathlib import Path

from rich.console import Console

from coroguard.gates import run_gates, show

show(run_gates(Path("/no/such/project")), Console())
