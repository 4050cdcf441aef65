"""How is a guard put on a function by its path, before or after its import?"""

from __future__ import annotations

import atexit
import functools
import sys
import threading
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._guard.decorator import guard
from .._guard.judge import act
from .._inspect.attributes import MISSING
from .._inspect.guarded import is_guarded
from .._leaks.errors import GuardUsageError, nearest
from .._runtime.modes import Mode, current
from .lost_guards import lost_guards
from .paths import GuardPath, modules, own
from .records import Protection, Put

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from .._runtime.modes import ModeName
    from .findings import Finding
    from .paths import Target

__all__ = ["protect", "unprotect", "verify"]

# By the text of their paths.
_protections: dict[str, Protection] = {}
_told: set[Finding] = set()
_lock = threading.RLock()


def protect(
    *paths: str,
    returns: Any = MISSING,
    mode: Mode | ModeName | None = None,
    dropped: bool = True,
) -> None:
    """Put guards on functions by their import paths, without touching the source.

    A module that is not imported yet is guarded when it is. A path that was
    protected before gets the new terms.

    Args:
        *paths: ``"package.module:function"``, ``"package.module:Class.method"``,
            or a pattern such as ``"app.*:check_*"``.
        returns: As in ``guard``. Where nothing is given, a plain path has the
            contract that ``@guard`` has, a ``HealthReport``; what a pattern
            means may return anything, so it is guarded against leaks only.
        mode: As in ``guard``.
        dropped: As in ``guard``.

    Raises:
        GuardUsageError: A path or an option is wrong, or leads nowhere in a
            module that is imported; then nothing is changed.
    """
    if not paths:
        raise GuardUsageError('protect() got no path; type protect("module:function")')
    made = [_made(path, returns, mode, dropped) for path in paths]
    with _lock:
        for protection in made:  # refuses, before anything is changed
            _puts(protection, _imported(protection.path))
        for path in paths:
            if path in _protections:
                unprotect(path)
        puts = [_puts(protection, _imported(protection.path)) for protection in made]
        try:
            for protection, found in zip(made, puts, strict=True):
                for put in found:
                    _set(put, protection)
        except GuardUsageError:
            for protection in made:
                _take_off(protection)
            raise
        _protections.update({it.path.text: it for it in made})
    _watch_imports()


def unprotect(*paths: str) -> None:
    """Take guards off again; without a path, all that ``protect`` has put on.

    A name that leads to something else by now is left as it is.

    Raises:
        GuardUsageError: A path is not protected; then none is taken off.
    """
    with _lock:
        for path in paths:
            if path not in _protections:
                hint = nearest(path, _protections)
                raise GuardUsageError(f"{path!r} is not protected.{hint}")
        for path in paths or tuple(_protections):
            _take_off(_protections.pop(path))


def verify(*, ended: bool = False) -> tuple[Finding, ...]:
    """Say which guards are not where they were put; each is reported once.

    A guard is lost where its path never led anywhere, where its name leads to
    something unguarded by now (rebound, loaded again, shadowed on the path), and
    where the function is also had under another name, without the guard. Guards
    by ``protect`` are looked at, and by ``@guard`` on names of modules and
    classes.

    Args:
        ended: Whether the program has ended: a protected module that was not
            needed in it is no finding then.
    """
    return _verified(ended)[0]


def _verified(ended: bool) -> tuple[tuple[Finding, ...], list[Finding]]:
    """Report what is found for the first time; return all of it, and the news."""
    if current() is Mode.OFF:
        return (), []
    with _lock:
        found = tuple(dict.fromkeys(lost_guards(_protections.values(), ended=ended)))
        fresh = [it for it in found if it not in _told]
        _told.update(fresh)
    for finding in fresh:
        act(current(), finding.name, [GuardUsageError(str(finding))], raises=False)
    return found, fresh


def _made(path: str, returns: Any, mode: Any, dropped: bool) -> Protection:
    parsed = GuardPath.parse(path)
    if returns is MISSING and parsed.is_pattern:
        returns = Any
    contract = {} if returns is MISSING else {"returns": returns}
    return Protection(parsed, guard(mode=mode, dropped=dropped, **contract))


def _imported(path: GuardPath) -> list[Any]:
    """Return the modules that a path means and that are imported."""
    return [module for name, module in modules() if path.fits(name)]


def _puts(protection: Protection, modules: Iterable[Any]) -> list[Put]:
    """Guard what a path means in modules, and put none of it in place yet."""
    return [
        _put(protection, target, module)
        for module in modules
        for target in protection.path.targets(module)
        if not any(_is_in_place(put, target) for put in protection.put)
    ]


def _is_in_place(put: Put, target: Target) -> bool:
    return put.owner is target.owner and put.guarded is target.value


def _put(protection: Protection, target: Target, module: ModuleType) -> Put:
    # A guard that is there already is only watched over.
    bare = not is_guarded(target.value)
    return Put(
        module=module.__name__,
        name=target.qualified,
        owner=target.owner,
        attribute=target.name,
        original=own(target.owner).get(target.name, MISSING),
        function=target.value,
        guarded=protection.decorate(target.value) if bare else target.value,
        file=getattr(module, "__file__", None) or "",
    )


def _set(put: Put, protection: Protection) -> None:
    if put.guarded is not put.function:
        try:
            setattr(put.owner, put.attribute, put.guarded)
        except (AttributeError, TypeError) as error:
            raise GuardUsageError(
                f"{put.module}:{put.name} takes no guard: {error}."
            ) from None
    protection.put.append(put)


def _take_off(protection: Protection) -> None:
    for put in protection.put:
        if own(put.owner).get(put.attribute) is not put.guarded:
            continue
        if put.original is MISSING:
            delattr(put.owner, put.attribute)
        else:
            setattr(put.owner, put.attribute, put.original)


class _Finder:
    """Lets wrapt say when a module is imported whose functions are protected.

    wrapt knows modules by their names alone, so each that fits is named to it
    when it is looked for.
    """

    def __init__(self) -> None:
        # Not at the top: who has nothing to protect need not wait for it. Typed Any,
        # because the module has no types.
        self._importer: Any = import_module("wrapt.importer")
        self._inner = self._importer.ImportHookFinder()

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> ModuleSpec | None:
        """Find the module by the finders behind this one."""
        if any(it.path.fits(fullname) for it in list(_protections.values())):
            self._importer.register_post_import_hook(_protect_module, fullname)
        found: ModuleSpec | None = self._inner.find_spec(fullname, path, target)
        return found


@functools.cache
def _finder() -> _Finder:
    atexit.register(_warn_at_exit)
    return _Finder()


def _watch_imports() -> None:
    """Stand before every other finder."""
    finder = _finder()
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)
    sys.meta_path.insert(0, finder)


def _protect_module(module: ModuleType) -> None:
    """Put the guards on a module that was just imported."""
    with _lock:
        for protection in list(_protections.values()):
            if protection.path.fits(module.__name__):
                try:
                    for put in _puts(protection, [module]):
                        _set(put, protection)
                except GuardUsageError as error:  # the import itself must not fail
                    protection.wrong = str(error)


def _warn_at_exit() -> None:
    """Say it where a program that configured no logging will hear it too."""
    for finding in _verified(ended=True)[1]:
        warnings.warn_explicit(str(finding), RuntimeWarning, "coroguard", 0)
