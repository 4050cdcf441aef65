"""Second copies of modules, loaded and forgotten without a trace."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from ..errors import usage_error
from .places import attribute_of
from .recoloured import recoloured
from .swaps import keep_attribute, keep_item


def temporary_folder(undo: ExitStack) -> Path:
    """Make a folder that is removed when ``undo`` closes."""
    return Path(undo.enter_context(TemporaryDirectory(prefix="coroguard-")))


def put_on_path(folder: str, undo: ExitStack, *, first: bool) -> None:
    """Import modules from a folder, too, until ``undo`` closes."""
    if folder in sys.path:
        return

    def take_off() -> None:
        with suppress(ValueError):  # other code has replaced the path
            sys.path.remove(folder)

    undo.callback(take_off)
    sys.path.insert(0 if first else len(sys.path), folder)


def forget_finders(undo: ExitStack) -> None:
    """Make the import system forget folders cached from now on."""
    known = set(sys.path_importer_cache)

    def forget() -> None:
        for folder in set(sys.path_importer_cache) - known:
            sys.path_importer_cache.pop(folder, None)

    undo.callback(forget)


def forget_module(name: str, undo: ExitStack) -> None:
    """Restore a module and its submodules in ``sys.modules``, or forget them."""
    known = set(sys.modules)

    def forget() -> None:
        for found in set(sys.modules) - known:
            if found.startswith(f"{name}."):
                del sys.modules[found]

    keep_item(sys.modules, name, undo)
    undo.callback(forget)


def free_name(name: str) -> str:
    """Return a module name that is not taken."""
    while name in sys.modules:
        name += "_again"
    return name


@contextmanager
def running_again(name: str) -> Generator[None]:
    """Run a module's code; leave no bytecode behind, and describe errors.

    Raises:
        GuardUsageError: The module's code raises.
    """
    with ExitStack() as undo:
        keep_attribute(sys, "dont_write_bytecode", undo)
        sys.dont_write_bytecode = True
        try:
            yield
        except Exception as error:
            raise usage_error(
                f"{name} cannot be run a second time: {type(error).__name__}: {error}; "
                'use kind="rebinding", which runs no module.'
            ) from error


def load_file(name: str, file: str, path: Sequence[str] | None = None) -> ModuleType:
    """Load a source file as a module of this name; ``path`` makes it a package."""
    spec = spec_from_file_location(
        name, file, submodule_search_locations=None if path is None else list(path)
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python source file")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_recoloured(
    name: str, file: str, path: Sequence[str] | None, names: Sequence[str]
) -> dict[str, Any]:
    """Load a file with one of its functions in the other colour.

    Returns:
        The names of the module, without those of its import.
    """
    module = load_file(name, file, path)
    recolour(module, names)
    found = vars(module).items()
    return {key: value for key, value in found if key not in _SET_BY_IMPORT}


_SET_BY_IMPORT = frozenset(
    (
        *("__name__", "__spec__", "__loader__", "__package__", "__file__"),
        *("__cached__", "__path__", "__builtins__", "__doc__"),
    )
)


def recolour(module: ModuleType, names: Sequence[str]) -> None:
    """Replace a function or method by its twin, permanently."""
    *outer, last = names
    owner: Any = module
    for part in outer:
        owner = getattr(owner, part)
    setattr(owner, last, recoloured(attribute_of(owner, last)))


def import_again(name: str) -> ModuleType:
    """Import a module that is not in ``sys.modules``."""
    with running_again(name):
        return importlib.import_module(name)
