"""Kinds of collision for packages that are our own.

``collide`` of ``coroguard.testing`` has the kinds that a project can apply to its
own code; these come from real bugs too, and the table of
``docs/explanation/collisions.md`` names the tools that see each of them.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from coroguard._inspect.callables import is_async
from coroguard.testing.collisions import Collision, kinds
from coroguard.testing.collisions.copies import (
    forget_module,
    free_name,
    import_again,
    load_file,
    put_on_path,
    recolour,
    running_again,
    temporary_folder,
)
from coroguard.testing.collisions.kinds import Kind, is_in_file, is_name_of_module
from coroguard.testing.collisions.recoloured import holder_of
from coroguard.testing.collisions.shapes import is_bound_by_class, put_made
from coroguard.testing.collisions.swaps import keep_attribute
from coroguard.testing.twins import sync_twin

_TWIN = '''"""A module that has the name in the other colour."""
__all__ = [{name!r}]


{define} {name}(*args, **kwargs):
    return _coroguard_original(*args, **kwargs)
'''
_LATER = """\
def plant(original):
    {where}
    {define} {name}(*args, **kwargs):
        return original(*args, **kwargs)
    return {name}
"""
_LINE_OF_DEF = 3
_CONDITIONAL = """\
try:
    from {missing} import {name}
except ImportError:
    from {module} import {name}
"""


def star_import(place: Any, undo: Any) -> None:
    """Run ``from twins import *`` in the module."""
    twins = _module_of_twin(place, undo)
    keep_attribute(place.owner, place.name, undo)
    run_in(place.owner, f"from {twins} import *", undo)


def conditional_import(place: Any, undo: Any) -> None:
    """Run an import that fails, and the one in its ``except``."""
    twins = _module_of_twin(place, undo)
    keep_attribute(place.owner, place.name, undo)
    source = _CONDITIONAL.format(
        missing=free_name(f"missing_{twins}"), module=twins, name=place.name
    )
    run_in(place.owner, source, undo)


def later_definition(place: Any, undo: Any) -> None:
    """Run a ``def`` of the same name, as if it were at the end of the file."""
    method: Any = place.is_method
    define, original, holder = _other(place)
    source = _LATER.format(
        name=place.name,
        define=define,
        where="pass" if method else f"global {place.name}",
    )
    module = place.module
    lines = _number_of_lines(module)
    tree = ast.parse(source)
    ast.increment_lineno(tree, max(lines + 1 - _LINE_OF_DEF, 0))
    keep_attribute(module, "__builtins__", undo)
    if not method:
        keep_attribute(place.owner, place.name, undo)
    made: dict[str, Any] = {}
    file = getattr(module, "__file__", None) or f"<{place.label}>"
    exec(compile(tree, file, "exec"), vars(module), made)
    function = made["plant"](original)
    _sign(function, original)
    if method:
        function.__qualname__ = f"{place.owner.__qualname__}.{place.name}"
        place.put(holder(function) if holder else function, undo)


def run_in(module: ModuleType, source: str, undo: Any) -> None:
    """Run statements in a module's own namespace."""
    keep_attribute(module, "__builtins__", undo)
    file = getattr(module, "__file__", None) or f"<{module.__name__}>"
    exec(compile(source, file, "exec"), vars(module))


def _module_of_twin(place: Any, undo: Any) -> str:
    """Write and import a module that defines the name in the other colour."""
    name = free_name(f"twins_of_{place.name}")
    folder = temporary_folder(undo)
    define, original, _ = _other(place)
    source = _TWIN.format(name=place.name, define=define)
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    put_on_path(str(folder), undo, first=False)
    forget_module(name, undo)
    module: Any = import_again(name)
    module._coroguard_original = original
    _sign(getattr(module, place.name), original)
    return name


def _other(place: Any) -> tuple[str, Any, Any]:
    """Return how the twin is defined, what it calls, and what holds it."""
    holder = holder_of(place.found)
    original = place.found.__func__ if holder else place.found
    if is_async(original):
        return "def", sync_twin(original), holder
    return "async def", original, holder


def _sign(function: Any, original: Any) -> None:
    """Show the original's parameters, as a twin written by hand would."""
    try:
        function.__signature__ = inspect.signature(original)
    except (TypeError, ValueError):  # built-in functions may have none
        return


def _number_of_lines(module: ModuleType | None) -> int:
    try:
        return len(inspect.getsourcelines(module)[0]) if module else 0
    except (OSError, TypeError):
        return 0


def as_partial(place: Any, undo: Any) -> None:
    """Set a ``functools.partial`` of the twin, or a ``partialmethod``."""
    # Typed Any: a partial does not bind, so a class needs its own kind.
    partial: Any = (
        functools.partialmethod if is_bound_by_class(place) else functools.partial
    )
    put_made(place, partial, undo)


def as_lambda(place: Any, undo: Any) -> None:
    """Set a ``lambda`` that calls the twin."""

    def calling(twin: Any) -> Any:
        return lambda *args, **kwargs: twin(*args, **kwargs)

    put_made(place, calling, undo)


def as_lossy_wrapper(place: Any, undo: Any) -> None:
    """Set a sync wrapper with the twin's name, as many decorators make."""

    def decorate(twin: Any) -> Any:
        @functools.wraps(twin)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return twin(*args, **kwargs)

        return wrapper

    put_made(place, decorate, undo)


def double_import(place: Any, undo: Any) -> None:
    """Load the module's file under a second name, and import the name from it."""
    module: Any = place.module
    second = _second_copy(module, undo)
    recolour(second, place.path)
    keep_attribute(module, place.path[0], undo)
    run_in(module, f"from {second.__name__} import {place.path[0]}", undo)


def module_getattr(place: Any, undo: Any) -> None:
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


def _second_copy(module: Any, undo: Any) -> ModuleType:
    """Import a module's file by its last name alone, or by a name of its own."""
    file = Path(module.__file__)
    path = list(module.__path__) if hasattr(module, "__path__") else None
    folder = file.parent if path is None else file.parent.parent
    name = module.__name__.rpartition(".")[2]
    name = file.stem if name == "__main__" else name
    put_on_path(str(folder), undo, first=False)
    if _resolves_to(name, file) and not _counts_dots(file):
        forget_module(name, undo)
        return import_again(name)
    name = free_name(f"{module.__name__}_again")
    forget_module(name, undo)
    with running_again(name):
        return load_file(name, str(file), path)


def _resolves_to(name: str, file: Path) -> bool:
    """Return whether a name that is not taken would be imported from this file."""
    if name in sys.modules:
        return False
    spec = find_spec(name)
    return spec is not None and spec.origin == str(file)


def _counts_dots(file: Path) -> bool:
    """Return whether a file imports relatively, so that it needs its package."""
    import ast

    tree = ast.parse(file.read_bytes())
    return any(isinstance(it, ast.ImportFrom) and it.level for it in ast.walk(tree))


def _is_defined_in_module(place: Any) -> str:
    is_defined = place.is_method or isinstance(place.owner, ModuleType)
    if place.module is None or not is_defined:
        return 'no module or class defines it; use kind="rebinding"'
    return ""


MORE = {
    "star import": Kind(star_import, is_name_of_module),
    "later definition": Kind(later_definition, _is_defined_in_module),
    "double import": Kind(double_import, is_in_file),
    "conditional import": Kind(conditional_import, is_name_of_module),
    "module getattr": Kind(module_getattr, is_name_of_module),
    "partial": Kind(as_partial),
    "lambda": Kind(as_lambda),
    "lossy decorator": Kind(as_lossy_wrapper),
}
#: All kinds, in the order of the documentation.
KINDS = (
    *("rebinding", "star import", "later definition", "override"),
    *("path shadowing", "double import", "handler import", "conditional import"),
    *("module getattr", "injection", "partial", "lambda", "lossy decorator", "mock"),
)


def collide(
    target: object, name: object = None, *, kind: str = "rebinding"
) -> Collision:
    """Do what ``coroguard.testing.collide`` does, for every kind."""
    chosen = MORE.get(kind) or kinds.KINDS[kind]
    return Collision(chosen.place_of(target, name, kind), chosen)
