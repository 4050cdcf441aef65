"""Events of requests to real servers."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from servers import PATIENCE_S


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Wait until something holds; only a broken program makes it fail."""

    def wait(holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < ends
            time.sleep(0.005)

    return wait
