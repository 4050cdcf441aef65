from coroguard.gates import GateRecord


def test_latency(gate_record: GateRecord) -> None:
    gate_record.measure("p95", 0.21, "s")
