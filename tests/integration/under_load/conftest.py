"""The real services of the load gate, and the fault that is planted, if any."""

from health_gates import rig  # noqa: F401 - a fixture
