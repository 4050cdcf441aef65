"""The modules of strict packages, as they are imported."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType

from .._guard.judge import act
from .._leaks.errors import CoroguardError
from .._runtime.modes import current
from ..bindings.import_hook import Step, install
from .rewriting import checked_code

_packages: list[str] = []
_checked: set[str] = set()
_unchecked: dict[str, str] = {}
_compiling = threading.Lock()


def extend(packages: Iterable[str]) -> None:
    """Also check the modules of these packages that are imported from now on."""
    _packages.extend(name for name in packages if name not in _packages)
    install("checks", Step(_is_strict, _adapt))


def checked_modules() -> Collection[str]:
    """Return the names of the modules that were given checks."""
    return _checked


def unchecked_modules() -> Mapping[str, str]:
    """Return the modules that could not be given checks, each with the reason."""
    return _unchecked


def is_below(module: str, package: str) -> bool:
    """Return whether a module is the package or a part of it."""
    return module == package or module.startswith(f"{package}.")


class _Loader(SourceFileLoader):
    """Compiles a module with its checks.

    Nothing is cached: a later run, with other packages strict, would take
    unchecked bytecode for checked.
    """

    def get_code(self, fullname: str) -> CodeType | None:
        file = self.get_filename(fullname)
        source = self.get_data(file)
        try:
            with _compiling:  # warnings are silenced meanwhile, for the whole process
                code = checked_code(source, file)
        except Exception as error:
            code = super().source_to_code(source, file)
            _unchecked[fullname] = f"{file} cannot be rewritten: {error!r}"
            text = f"{file} is not checked: it cannot be rewritten ({error!r})"
            act(current(), fullname, [CoroguardError(text)], raises=False)
        else:
            _checked.add(fullname)
        return code


def _adapt(spec: ModuleSpec) -> None:
    """Set the loader with checks on a module that is read from a file."""
    loader = spec.loader
    # Any other loader has a reason of its own.
    if type(loader) is SourceFileLoader:
        spec.loader = _Loader(loader.name, loader.path)
    elif loader is not None and spec.has_location:
        kind = type(loader).__name__
        _unchecked[spec.name] = f"{spec.origin} is loaded by {kind}"


def _is_strict(module: str) -> bool:
    return any(is_below(module, package) for package in _packages)
