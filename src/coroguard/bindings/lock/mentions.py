"""Names that the source of packages mentions."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..audit.calls import tree_of

if TYPE_CHECKING:
    from ..modules import Loaded


def mentioned_names(packages: Iterable[Loaded]) -> set[str]:
    """Return every name, attribute and imported name in the packages' source."""
    found: set[str] = set()
    for package in packages:
        for module in package.modules.values():
            for node in ast.walk(tree_of(module) or ast.Module([], [])):
                match node:
                    case ast.Name(id=name) | ast.Attribute(attr=name):
                        found.add(name)
                    case ast.alias(name=name):
                        found.add(name.rpartition(".")[2])
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        found.add(name)  # it may override one of the library
                    case _:
                        pass
    return found
