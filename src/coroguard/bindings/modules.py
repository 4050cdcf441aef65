"""The modules of a package, imported as deployed."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import ModuleType

from .._inspect.attributes import namespace
from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError


@dataclass(frozen=True, slots=True)
class Loaded:
    """A package's modules, imported as deployed.

    Args:
        name: The package, or the single module.
        modules: By name, in the order of their names.
        failed: Why the others could not be imported, by name.
        left_out: Those that were excluded, with all below them.
    """

    name: str
    modules: dict[str, ModuleType] = field(default_factory=dict[str, ModuleType])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    left_out: list[str] = field(default_factory=list[str])


def load_package(name: str, exclude: Sequence[str] = ()) -> Loaded:
    """Import a package and every module in it but ``__main__``.

    Importing runs the modules' own code, as the service does when it starts;
    nothing else of them is run. What ends the import of one module, exits
    included, ends only that.

    Args:
        name: The package, or a single module.
        exclude: Patterns of modules that are left out, with all below them.

    Raises:
        GuardUsageError: There is no such package, or a pattern of its modules
            fits none.
    """
    try:
        found = importlib.util.find_spec(name) if name else None
    except (ImportError, ValueError, AttributeError):
        found = None
    if found is None and name not in sys.modules:
        known = [it.name for it in pkgutil.iter_modules()]
        raise GuardUsageError(
            f"there is no package {name!r} here; use its import name, "
            f"in the folder or the environment that has it.{nearest(name, known)}",
            code="CG213",
        )
    loaded = Loaded(name)
    for module_name in _names(name, loaded, exclude):
        module = _imported(module_name, loaded)
        if module is not None:
            loaded.modules[module_name] = module
    for pattern in exclude:
        _check_use(pattern, loaded)
    return loaded


def _names(name: str, loaded: Loaded, exclude: Sequence[str]) -> Iterator[str]:
    """Yield a package's modules, each package before what it holds."""
    if any(fnmatchcase(name, pattern) for pattern in exclude):
        loaded.left_out.append(name)
        return
    yield name
    package = loaded.modules.get(name)
    # Not hasattr, which a module may answer with a function of its own.
    path = namespace(package).get("__path__")
    if path is None:
        return
    for found in sorted(pkgutil.iter_modules(path), key=_by_name):
        if found.name != "__main__":
            yield from _names(f"{name}.{found.name}", loaded, exclude)


def _check_use(pattern: str, loaded: Loaded) -> None:
    """Refuse a pattern of this package's modules that leaves none of them out."""
    is_used = any(
        fnmatchcase(name, pattern) or pattern.startswith(f"{name}.")
        for name in loaded.left_out
    )
    if pattern.startswith(f"{loaded.name}.") and not is_used:
        raise GuardUsageError(
            f"exclude = [{pattern!r}] fits no module of {loaded.name}; correct or "
            f"remove it.{nearest(pattern, loaded.modules)}",
            code="CG213",
        )


def _by_name(found: pkgutil.ModuleInfo) -> str:
    return found.name


def _imported(name: str, loaded: Loaded) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may end the process it is imported in
        text = str(error).partition("\n")[0]
        loaded.failed[name] = f"{type(error).__name__}: {text}".removesuffix(": ")
        return None
