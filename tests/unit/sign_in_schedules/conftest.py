"""The fault of the self-test, if one is planted."""

from health_gates import planted  # noqa: F401 - a fixture
