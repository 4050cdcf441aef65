"""One import hook for guards by path and for strict packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple


class Step(NamedTuple):
    """The work to do when certain modules are imported.

    Args:
        wants: Returns whether a module, by its name, is concerned.
        adapt: Changes the spec of such a module, usually its loader.
    """

    wants: Callable[[str], bool]
    adapt: Callable[[ModuleSpec], None]


class ImportHook:
    """A finder that asks the finders behind it, and adapts their results.

    The steps are taken in the order of their names: strict packages replace a
    loader, and guards then wrap whatever loader there is.
    """

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module that a step is concerned with; ``None`` for any other."""
        steps = [it for _, it in sorted(self.steps.items()) if it.wants(fullname)]
        if not steps:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find: Any = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None:
                for step in steps:
                    step.adapt(spec)
                return spec
        return None


_hook = ImportHook()


def install(name: str, step: Step) -> None:
    """Take a step for each module that is imported from now on.

    The hook moves to the front, before finders that were added since.
    """
    _hook.steps[name] = step
    if _hook in sys.meta_path:
        sys.meta_path.remove(_hook)
    sys.meta_path.insert(0, _hook)
