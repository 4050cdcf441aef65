"""Modules that are not the ones that their importers expect."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .copies import (
    forget_module,
    free_name,
    import_again,
    put_on_path,
    temporary_folder,
)
from .swaps import keep_attribute, keep_item

if TYPE_CHECKING:
    from .places import Place

_SHADOW = '''"""A file that comes before {file!r} on the path."""
from coroguard.testing.collisions.copies import load_recoloured

globals().update(load_recoloured({inner!r}, {file!r}, {path!r}, {names!r}))
'''


def path_shadowing(place: Place, undo: ExitStack) -> None:
    """Put another file of the module's name before it, and import again."""
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


def handler_import(place: Place, undo: ExitStack) -> None:
    """Make a module of the same name serve all later imports."""
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


def _share_submodules(module: Any, shown: Any, undo: ExitStack) -> None:
    """Share submodules between a package and its stand-in, both ways."""
    prefix = f"{module.__name__}."

    def share(one: Any, other: Any) -> None:
        for name, found in list(sys.modules.items()):
            last = name.removeprefix(prefix)
            is_own = name.startswith(prefix) and "." not in last
            if is_own and getattr(one, last, None) is found:
                other.__dict__.setdefault(last, found)

    share(module, shown)
    undo.callback(share, shown, module)
