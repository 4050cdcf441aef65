"""Count the forms that a guard sees; run it under any interpreter flag.

``python -OO census.py`` prints the forms that go unseen in enforce mode.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import warnings
from pathlib import Path
from typing import Any

from coroguard import guard, mode, subscribe


def unseen(mode_name: str) -> list[str]:
    """Return the ids of the forms that no event is about."""
    forms = sys.modules.get("bug_forms") or _load()
    events: list[Any] = []
    unsubscribe = subscribe(events.append)
    missed = []
    for form in forms.FORMS:
        if not (form.placed or mode_name == "strict"):
            continue
        events.clear()
        guarded = guard(returns=form.returns)(form.check)
        try:
            with mode(mode_name):
                value = guarded()
                if inspect.iscoroutinefunction(form.check):
                    asyncio.run(value)
        except Exception:  # the events are counted
            pass
        if not any(
            event.leak and event.leak.kind.name == form.kind for event in events
        ):
            missed.append(form.id)
    unsubscribe()
    return missed


def _load() -> Any:
    init = Path(__file__).with_name("__init__.py")
    spec = importlib.util.spec_from_file_location("bug_forms", init)
    package = importlib.util.module_from_spec(spec)
    sys.modules["bug_forms"] = package
    spec.loader.exec_module(package)
    return package


if __name__ == "__main__":
    import logging

    logging.disable()
    warnings.simplefilter("ignore")
    sys.stdout.write("\n".join(unseen(sys.argv[1])))
