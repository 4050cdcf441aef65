"""How is a module loaded a second time, and forgotten without a trace?"""

from __future__ import annotations

import importlib
import sys
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..._leaks.errors import GuardUsageError
from .places import attribute_of
from .recoloured import recoloured
from .swaps import keep_attribute, keep_item

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import ModuleType

__all__ = [
    "forget_finders",
    "forget_module",
    "free_name",
    "import_again",
    "load_file",
    "load_recoloured",
    "put_on_path",
    "recolour",
    "running_again",
    "temporary_folder",
]


def temporary_folder(undo: ExitStack) -> Path:
    """Make a folder that is gone when ``undo`` closes."""
    return Path(undo.enter_context(TemporaryDirectory(prefix="coroguard-")))


def put_on_path(folder: str, undo: ExitStack, *, first: bool) -> None:
    """Have modules imported from a folder until ``undo`` closes."""
    if folder in sys.path:
        return

    def take_off() -> None:
        with suppress(ValueError):  # whoever set the path anew has dropped it
            sys.path.remove(folder)

    undo.callback(take_off)
    sys.path.insert(0 if first else len(sys.path), folder)


def forget_finders(undo: ExitStack) -> None:
    """Have the import system forget the folders it comes to know from now on."""
    known = set(sys.path_importer_cache)

    def forget() -> None:
        for folder in set(sys.path_importer_cache) - known:
            sys.path_importer_cache.pop(folder, None)

    undo.callback(forget)


def forget_module(name: str, undo: ExitStack) -> None:
    """Have a module and what it holds put back in ``sys.modules``, or forgotten."""
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
    """Run a module's code; leave no bytecode behind, and say what went wrong.

    Raises:
        GuardUsageError: The module's code raises.
    """
    with ExitStack() as undo:
        keep_attribute(sys, "dont_write_bytecode", undo)
        sys.dont_write_bytecode = True
        try:
            yield
        except Exception as error:
            raise GuardUsageError(
                f"{name} cannot be run a second time: {type(error).__name__}: {error}; "
                'type kind="rebinding", which runs no module.'
            ) from error


def load_file(name: str, file: str, path: Sequence[str] | None = None) -> ModuleType:
    """Load a source file as a module of this name; ``path`` makes it a package."""
    spec = spec_from_file_location(
        name, file, submodule_search_locations=None if path is None else list(path)
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no source file of Python")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_recoloured(
    name: str, file: str, path: Sequence[str] | None, names: Sequence[str]
) -> dict[str, Any]:
    """Load a file with one of its functions in the other colour.

    Returns:
        What the module holds, but for what belongs to its import.
    """
    module = load_file(name, file, path)
    recolour(module, names)
    found = vars(module).items()
    return {key: value for key, value in found if key not in _OF_THE_IMPORT}


_OF_THE_IMPORT = frozenset(
    (
        *("__name__", "__spec__", "__loader__", "__package__", "__file__"),
        *("__cached__", "__path__", "__builtins__", "__doc__"),
    )
)


def recolour(module: ModuleType, names: Sequence[str]) -> None:
    """Put the twin of a function or method in its place, for good."""
    *outer, last = names
    owner: Any = module
    for part in outer:
        owner = getattr(owner, part)
    setattr(owner, last, recoloured(attribute_of(owner, last)))


def import_again(name: str) -> ModuleType:
    """Import a module that ``sys.modules`` does not hold."""
    with running_again(name):
        return importlib.import_module(name)
