"""The process of one run: its import path and its options."""

# Run as a script, and imports nothing of coroguard.

from __future__ import annotations

import os
import signal
import sys

import pytest


class _WholeSuiteOptions:
    """Turns off options that only the whole suite can meet, such as a threshold."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        """Switch pytest-cov off before it starts, where it is installed."""
        options = early_config.known_args_namespace
        if hasattr(options, "no_cov"):
            options.no_cov = True


def main() -> int:
    """Run pytest and return its exit code.

    The interpreter starts with ``-P``, so that no file of the project replaces a
    module of pytest, of coroguard or of the standard library. The current folder
    is then added at the end of the import path, where ``python -m pytest`` would
    have put it at the beginning.
    """
    sys.path.append(os.getcwd())
    # Ignored where the command was started in the background; then a run that is
    # ended from outside would not stop what its fixtures started.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.environ.get("COROGUARD_GATE_LOOP") == "uvloop":
        _use_uvloop()
    return int(pytest.main(plugins=[_WholeSuiteOptions()]))


def _use_uvloop() -> None:
    """Make `asyncio.run` and the plugins for asyncio use the loops of uvloop.

    A test that runs by schedules needs asyncio's own loop, and still gets that.
    """
    import asyncio
    import warnings

    import uvloop

    policy = uvloop.EventLoopPolicy()
    new_event_loop = policy.new_event_loop

    def new_loop() -> asyncio.AbstractEventLoop:
        loops = sys.modules.get("coroguard.testing.schedules.loop")
        is_scheduling = loops is not None and loops.is_scheduling()
        return asyncio.SelectorEventLoop() if is_scheduling else new_event_loop()

    policy.new_event_loop = new_loop
    with warnings.catch_warnings():
        # There is no other way that reaches them all, deprecated or not.
        warnings.simplefilter("ignore", DeprecationWarning)
        set_policy = asyncio.set_event_loop_policy  # pyright: ignore[reportDeprecated]
        set_policy(policy)


if __name__ == "__main__":
    sys.exit(main())
