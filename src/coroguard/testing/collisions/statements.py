"""Which statements, run in a module, give one of its names the other colour?"""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

from ..._inspect.callables import is_async
from ..twins import sync_twin
from .copies import (
    forget_module,
    free_name,
    import_again,
    put_on_path,
    temporary_folder,
)
from .recoloured import holder_of
from .swaps import keep_attribute

if TYPE_CHECKING:
    from contextlib import ExitStack
    from types import ModuleType

    from .places import Place

__all__ = ["conditional_import", "later_definition", "run_in", "star_import"]

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


def star_import(place: Place, undo: ExitStack) -> None:
    """Run ``from twins import *`` in the module."""
    twins = _module_of_twin(place, undo)
    keep_attribute(place.owner, place.name, undo)
    run_in(place.owner, f"from {twins} import *", undo)


def conditional_import(place: Place, undo: ExitStack) -> None:
    """Run an import that fails, and the one that stands in its ``except``."""
    twins = _module_of_twin(place, undo)
    keep_attribute(place.owner, place.name, undo)
    source = _CONDITIONAL.format(
        missing=free_name(f"missing_{twins}"), module=twins, name=place.name
    )
    run_in(place.owner, source, undo)


def later_definition(place: Place, undo: ExitStack) -> None:
    """Run a ``def`` of the same name, as if it stood at the end of the file."""
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


def run_in(module: ModuleType, source: str, undo: ExitStack) -> None:
    """Run statements in a module's own namespace."""
    keep_attribute(module, "__builtins__", undo)
    file = getattr(module, "__file__", None) or f"<{module.__name__}>"
    exec(compile(source, file, "exec"), vars(module))


def _module_of_twin(place: Place, undo: ExitStack) -> str:
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


def _other(place: Place) -> tuple[str, Any, Any]:
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
