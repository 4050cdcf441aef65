"""How does a module come to be another one than its importers think?"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .copies import (
    forget_module,
    free_name,
    import_again,
    load_file,
    put_on_path,
    recolour,
    running_again,
    temporary_folder,
)
from .statements import run_in
from .swaps import keep_attribute, keep_item

if TYPE_CHECKING:
    from contextlib import ExitStack

    from .places import Place

__all__ = ["double_import", "handler_import", "module_getattr", "path_shadowing"]

_SHADOW = '''"""A file that stands on the path before {file!r}."""
from coroguard.testing.collisions.copies import load_recoloured

globals().update(load_recoloured({inner!r}, {file!r}, {path!r}, {names!r}))
'''


def path_shadowing(place: Place, undo: ExitStack) -> None:
    """Put another file of the module's name before it, and import it anew."""
    module: Any = place.module
    name: str = module.__name__
    parent, _, last = name.rpartition(".")
    path = list(module.__path__) if hasattr(module, "__path__") else None
    inner = free_name(f"{name}_shadowed")
    folder = temporary_folder(undo)
    file = folder / (f"{last}.py" if path is None else f"{last}/__init__.py")
    source = _SHADOW.format(
        file=module.__file__, inner=inner, path=path, names=place.path
    )
    if path is not None:
        file.parent.mkdir()
        source += f"__path__ += {path!r}\n"
    file.write_text(source, encoding="utf-8")
    if parent:
        package: Any = sys.modules[parent]
        keep_attribute(package, last, undo)
        keep_attribute(package, "__path__", undo)
        package.__path__ = [str(folder), *package.__path__]
    else:
        put_on_path(str(folder), undo, first=True)
    forget_module(inner, undo)
    keep_item(sys.modules, name, undo)
    sys.modules.pop(name, None)
    shadow = import_again(name)
    _share_submodules(module, shadow, undo)


def double_import(place: Place, undo: ExitStack) -> None:
    """Load the module's file under a second name, and import the name from it."""
    module: Any = place.module
    second = _second_copy(module, undo)
    recolour(second, place.path)
    keep_attribute(module, place.path[0], undo)
    run_in(module, f"from {second.__name__} import {place.path[0]}", undo)


def handler_import(place: Place, undo: ExitStack) -> None:
    """Let a module of the same name answer all imports from now on."""
    module: ModuleType = place.owner
    name: str = module.__name__
    stand_in = ModuleType(name)
    vars(stand_in).update(vars(module))

    def later(attribute: str) -> Any:
        return getattr(module, attribute)

    vars(stand_in).update({"__getattr__": later, place.name: place.twin})
    parent, _, last = name.rpartition(".")
    if parent in sys.modules:
        keep_attribute(sys.modules[parent], last, undo)
        setattr(sys.modules[parent], last, stand_in)
    keep_item(sys.modules, name, undo)
    sys.modules[name] = stand_in
    _share_submodules(module, stand_in, undo)


def module_getattr(place: Place, undo: ExitStack) -> None:
    """Take the name out of the module; its ``__getattr__`` gives the twin."""
    module: ModuleType = place.owner
    before = vars(module).get("__getattr__")
    given = {place.name: place.twin}
    undo.callback(given.clear)  # where another one still calls this one on

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name in given:
            return given[name]
        if before is not None:
            return before(name)
        text = f"module {module.__name__!r} has no attribute {name!r}"
        raise AttributeError(text, name=name, obj=module)

    keep_attribute(module, "__getattr__", undo)
    vars(module)["__getattr__"] = __getattr__
    keep_attribute(module, place.name, undo)
    vars(module).pop(place.name, None)


def _second_copy(module: Any, undo: ExitStack) -> ModuleType:
    """Import a module's file by its last name alone, or by a name of its own."""
    file = Path(module.__file__)
    path = list(module.__path__) if hasattr(module, "__path__") else None
    folder = file.parent if path is None else file.parent.parent
    name = module.__name__.rpartition(".")[2]
    name = file.stem if name == "__main__" else name
    put_on_path(str(folder), undo, first=False)
    if _leads_to(name, file) and not _counts_dots(file):
        forget_module(name, undo)
        return import_again(name)
    name = free_name(f"{module.__name__}_again")
    forget_module(name, undo)
    with running_again(name):
        return load_file(name, str(file), path)


def _leads_to(name: str, file: Path) -> bool:
    """Say whether a name that is not taken would be imported from this file."""
    if name in sys.modules:
        return False
    spec = find_spec(name)
    return spec is not None and spec.origin == str(file)


def _counts_dots(file: Path) -> bool:
    """Say whether a file imports relatively, so that it needs its package."""
    import ast

    tree = ast.parse(file.read_bytes())
    return any(isinstance(it, ast.ImportFrom) and it.level for it in ast.walk(tree))


def _share_submodules(module: Any, shown: Any, undo: ExitStack) -> None:
    """Let a package have what was, or will be, imported from its stand-in."""
    prefix = f"{module.__name__}."

    def share(one: Any, other: Any) -> None:
        for name, found in list(sys.modules.items()):
            last = name.removeprefix(prefix)
            is_own = name.startswith(prefix) and "." not in last
            if is_own and getattr(one, last, None) is found:
                other.__dict__.setdefault(last, found)

    share(module, shown)
    undo.callback(share, shown, module)
