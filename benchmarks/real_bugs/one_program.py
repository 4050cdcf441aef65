"""One program of the corpus under one runtime tool; run in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import inspect
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def main(argv: list[str]) -> int:
    """Run ``tool`` over the program ``path``; print ``seen`` if it reports a leak."""
    tool, path = argv[0], Path(argv[1])
    sys.path.insert(0, str(path.parent))
    print("\nseen" if TOOLS[tool](path) else "\nunseen")
    return 0


def _python(path: Path) -> bool:
    """Count Python's own warning, which names the coroutine but not the caller."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _run(_load(path))
    return any("was never awaited" in str(it.message) for it in caught)


def _typeguard(path: Path) -> bool:
    import typeguard

    made = _count(typeguard.TypeCheckError)
    typeguard.install_import_hook(path.stem)
    _run(importlib.import_module(path.stem))
    return bool(made)


def _beartype(path: Path) -> bool:
    from beartype import claw, roar

    made = _count(roar.BeartypeCallHintViolation)
    claw.beartype_package(path.stem)
    _run(importlib.import_module(path.stem))
    return bool(made)


def _returned(path: Path) -> bool:
    return _guarded(path, dropped=False)


def _guard(path: Path) -> bool:
    return _guarded(path, dropped=True)


def _watch(path: Path) -> bool:
    from coroguard import subscribe, watch

    events: list[Any] = []
    subscribe(events.append)
    module = _load(path)
    with watch(mode="observe"):
        _run(module)
    return any(event.leak for event in events)


def _guard_and_watch(path: Path) -> bool:
    from coroguard import configure, watch

    configure(unclaimed="report")
    with watch(mode="observe") as leaks:
        seen = _guarded(path, dropped=True)
    return seen or bool(leaks)


def _guarded(path: Path, *, dropped: bool) -> bool:
    from coroguard import guard, subscribe

    events: list[Any] = []
    subscribe(events.append)
    module = _load(path)
    for name in module.META["enclosing"]:
        *owners, last = name.split(".")
        owner: Any = module
        for part in owners:
            owner = getattr(owner, part)
        found = inspect.getattr_static(owner, last)
        method = isinstance(found, staticmethod | classmethod)
        plain = found.__func__ if method else found
        on: Any = guard(returns=Any, dropped=dropped, mode="observe")(plain)
        setattr(owner, last, type(found)(on) if method else on)
    _run(module)
    return any(event.leak for event in events)


def _audit_and_lock(path: Path) -> bool:
    from coroguard.bindings.audit import audit
    from coroguard.bindings.lock.drift import drift_of
    from coroguard.bindings.lock.record import Lock
    from coroguard.bindings.modules import load_package

    if audit(path.stem).findings:
        return True
    before = _load(path).META.get("colors", {})
    colours = {f"{path.stem}:{name}": colour for name, colour in before.items()}
    locked = Lock((path.stem,), colours, contracts={}, schemas={})
    return bool(drift_of(locked, [load_package(path.stem)]).changes)


def _count(error: type[BaseException]) -> list[object]:
    """Note each error that is made, because many of the programs swallow it."""
    made: list[object] = []
    before: Any = error.__init__

    def init(self: BaseException, *args: Any, **kwargs: Any) -> None:
        made.append(args)
        before(self, *args, **kwargs)

    error.__init__ = init  # type: ignore[method-assign]
    return made


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(module: ModuleType) -> None:
    """Run the program; its crash is part of the picture."""
    try:
        result = module.run()
        if inspect.iscoroutine(result):
            asyncio.run(result)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
    gc.collect()


TOOLS: dict[str, Callable[[Path], bool]] = {
    "python": _python,
    "typeguard": _typeguard,
    "beartype": _beartype,
    "returned": _returned,
    "guard": _guard,
    "watch": _watch,
    "guard and watch": _guard_and_watch,
    "audit and lock": _audit_and_lock,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
