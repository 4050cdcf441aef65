"""Guards on functions by their import paths, before or after the import."""

from __future__ import annotations

import atexit
import functools
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from .._guard.decorator import guard
from .._guard.judge import act
from .._inspect.attributes import MISSING, namespace
from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError
from .._runtime.modes import Mode, current
from .._runtime.status import more_problems
from .._runtime.threads import make_lock
from .import_hook import Step, install
from .lost_guards import lost_guards
from .paths import GuardPath, Protection, module_name, modules, usage_error
from .placing import decorated, guard_module, take_off

if TYPE_CHECKING:
    from .._runtime.modes import ModeName
    from .findings import Finding

_MOST_SHOWN = 5

# By the text of their paths.
_protections: dict[str, Protection] = {}
_reported: set[Finding] = set()
_lock = make_lock()


def protect(
    *paths: str,
    returns: Any = MISSING,
    mode: Mode | ModeName | None = None,
    dropped: bool = True,
) -> None:
    """Put guards on functions by their import paths, without touching the source.

    A module that is not imported yet is guarded when it is. A path that was
    protected before gets the new terms. A pattern guards what can be guarded;
    ``verify()`` names what it had to leave bare.

    Args:
        *paths: ``"package.module:function"``, ``"package.module:Class.method"``,
            or a pattern such as ``"app.*:check_*"``.
        returns: As in ``guard``. Without it, a plain path has the contract that
            ``@guard`` has; what a pattern matches may return anything, so it is
            guarded against leaks only.
        mode: As in ``guard``.
        dropped: As in ``guard``.

    Raises:
        GuardUsageError: A path or an option is wrong, or a plain path has nothing
            at its end in a module that is imported; then nothing is changed.
    """
    if not paths:
        raise usage_error('protect() got no path; write protect("module:function")')
    made = [_made(path, returns, mode, dropped) for path in paths]
    with _lock:
        for protection in made:  # refuses, before anything is changed
            if not protection.path.is_pattern:
                for module in _imported(protection.path):
                    for target in protection.path.targets(module):
                        decorated(protection, target.value)
        for path in paths:
            if path in _protections:
                unprotect(path)
        try:
            for protection in made:
                for module in _imported(protection.path):
                    guard_module(protection, module, [module], late=True)
        except GuardUsageError:
            for protection in made:
                take_off(protection)
            raise
        _protections.update({it.path.text: it for it in made})
    install("guards", Step(_is_wanted, _adapt))
    _verify_at_exit()


def unprotect(*paths: str) -> None:
    """Remove guards that ``protect`` has put on; without a path, all of them.

    A name that has another value by now is left as it is.

    Raises:
        GuardUsageError: A path is not protected; then none is taken off.
    """
    with _lock:
        for path in paths:
            if path not in _protections:
                hint = nearest(path, _protections)
                raise usage_error(f"{path!r} is not protected.{hint}")
        for path in paths or tuple(_protections):
            take_off(_protections.pop(path))


def verify(*, ended: bool = False) -> tuple[Finding, ...]:
    """Return the guards that are not where they were put; report each once.

    A guard is lost where its path has nothing at its end, where its name now has
    an unguarded value or one of another colour (rebound, redefined, overridden,
    shadowed on the path), and where the function is also known by another name,
    without the guard. Guards by ``protect`` are looked at, and ``@guard`` on names
    of modules and classes. No lazy module is loaded.

    Args:
        ended: Whether the program has ended: a protected module that it did not
            need is not a finding then.
    """
    mode = current()
    if mode is Mode.OFF:
        return ()
    with _lock:
        found = tuple(dict.fromkeys(lost_guards(_protections.values(), ended=ended)))
        fresh = [it for it in found if it not in _reported]
        _reported.update(fresh)
    for finding in fresh:
        act(
            mode,
            finding.name,
            [GuardUsageError(str(finding), code="CG216")],
            raises=False,
        )
    return found


def bare() -> dict[str, str]:
    """Return the functions that patterns matched but did not guard, with reasons."""
    return {
        name: why
        for protection in list(_protections.values())
        for name, why in [*protection.refused.items(), *protection.passed.items()]
    }


def _made(path: str, returns: Any, mode: Any, dropped: bool) -> Protection:
    parsed = GuardPath.parse(path)
    if returns is MISSING and parsed.is_pattern:
        returns = Any
    contract = {} if returns is MISSING else {"returns": returns}
    return Protection(parsed, guard(mode=mode, dropped=dropped, **contract))


def _imported(path: GuardPath) -> list[Any]:
    """Return the modules that a path means and that are imported.

    One that waits for its first use, as ``importlib.util.LazyLoader`` makes it, is
    guarded when it is loaded.
    """
    found: list[Any] = []
    for name, module in modules():
        if not path.fits(name):
            continue
        spec: Any = namespace(module).get("__spec__")
        if type(module).__name__ != "_LazyModule" or spec is None:
            found.append(module)
        elif not isinstance(getattr(spec, "loader", None), _loader_class()):
            _adapt(spec)
    return found


def _is_wanted(module: str) -> bool:
    return any(it.path.fits(module) for it in list(_protections.values()))


def _adapt(spec: ModuleSpec) -> None:
    """Make a loader guard the module that it has executed."""
    if hasattr(spec.loader, "exec_module"):
        spec.loader = _loader_class()(spec.loader)


@functools.cache
def _loader_class() -> Any:
    import wrapt  # here, because only programs that protect need it

    class GuardingLoader(wrapt.ObjectProxy[Any]):
        """Any loader; the module that it executes is guarded, and keeps its own."""

        def exec_module(self, module: Any) -> None:
            loader = self.__wrapped__
            names = namespace(module)
            spec: Any = names.get("__spec__")
            if names.get("__loader__") is self:
                names["__loader__"] = loader
            if getattr(spec, "loader", None) is self:
                spec.loader = loader
            loader.exec_module(module)
            _protect_module(module)

    return GuardingLoader


def _protect_module(module: Any) -> None:
    """Put the guards on a module that was just imported."""
    name = module_name(module)
    with _lock:
        for protection in list(_protections.values()):
            if protection.path.fits(name):
                try:
                    guard_module(protection, module, _imported_meanwhile(module))
                except Exception as error:  # the import itself must not fail
                    protection.problem = str(error)


def _imported_meanwhile(module: Any) -> list[Any]:
    """Return a module, and those of its package that were imported while it ran.

    In a circular import these have the names of the module without their guards.
    """
    name = module_name(module)
    top = name.partition(".")[0]
    found = [module]
    for other, imported in reversed(modules()):
        if other == name:
            break
        if other.partition(".")[0] == top:
            found.append(imported)
    return found


@functools.cache
def _verify_at_exit() -> None:
    atexit.register(verify, ended=True)


def _bare_in_status() -> list[str]:
    names = [*bare()]
    if not names:
        return []
    shown = ", ".join(names[:_MOST_SHOWN])
    more = f" and {len(names) - _MOST_SHOWN} more" if names[_MOST_SHOWN:] else ""
    return [f"a pattern left bare: {shown}{more}"]


more_problems.append(_bare_in_status)
