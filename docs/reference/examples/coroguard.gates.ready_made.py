import pytest

from coroguard.gates import GateRecord
from coroguard.gates.ready_made import readiness_gate


# Run by `coroguard gate`, after the gates whose verdicts it reads.
@pytest.mark.gate("readiness", blocks_deployment=True)
def test_readiness(gate_record: GateRecord) -> None:
    readiness_gate(gate_record, gates={"health report": object()})
