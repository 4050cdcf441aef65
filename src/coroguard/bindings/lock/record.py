"""The colour of each public function, and what each guard expects."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._inspect.callables import guard_of
from ..._inspect.colours import colour_of
from ..audit.calls import tree_of
from .schemas import contract_name, schema_of
from .surface import guard_on, surface_of

if TYPE_CHECKING:
    from ..._guard.contracts import Contract
    from ..modules import Loaded

#: The word for a colour that is unknown without calling the function.
UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Lock:
    """The interface that callers of some packages rely on; strings only.

    Args:
        packages: The packages, as they are imported.
        libraries: Packages of others that they use, locked as far as they do.
        colours: The colour of each function, by ``module:qualified.name``.
        contracts: The contract's name of each guarded function, by the same.
        schemas: What a contract demands at each path, by the contract's name.
    """

    packages: tuple[str, ...]
    colours: dict[str, str]
    contracts: dict[str, str]
    schemas: dict[str, dict[str, str]]
    libraries: tuple[str, ...] = ()


def lock_of(packages: Sequence[Loaded], libraries: Sequence[Loaded] = ()) -> Lock:
    """Return the lock of packages as they were imported.

    Args:
        packages: The packages.
        libraries: Packages of others: only those of their functions count whose
            name the packages' source mentions.
    """
    functions = surface_of(packages)
    if libraries:
        used = _mentioned_names(packages)
        functions |= {
            name: function
            for name, function in surface_of(libraries).items()
            if re.split(r"[.:]", name)[-1] in used
        }
    contracts: dict[str, str] = {}
    schemas: dict[str, dict[str, str]] = {}
    for name, function in functions.items():
        contract = contract_of(function)
        if contract is None:
            continue
        contracts[name] = of = contract_name(contract)
        if of not in schemas:
            schemas[of] = schema_of(contract)
    return Lock(
        packages=tuple(sorted({package.name for package in packages})),
        colours={name: colour_word(found) for name, found in functions.items()},
        contracts=contracts,
        schemas={name: schemas[name] for name in sorted(schemas) if schemas[name]},
        libraries=tuple(sorted({library.name for library in libraries})),
    )


def colour_word(function: Any) -> str:
    """Return the word for a function's colour."""
    return str(colour_of(function) or UNDECIDED)


def contract_of(function: Any) -> Contract | None:
    """Return the contract of the guard on a function; ``None`` without one."""
    terms = guard_of(guard_on(function))
    return None if terms is None else terms.contract


def _mentioned_names(packages: Iterable[Loaded]) -> set[str]:
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
