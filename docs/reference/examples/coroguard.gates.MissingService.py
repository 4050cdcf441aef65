import pytest

from coroguard.gates import GateRecord, MissingService


def test_without_a_service() -> None:
    with pytest.raises(MissingService):
        GateRecord().missing("redis", "REDIS_URL is not set")
