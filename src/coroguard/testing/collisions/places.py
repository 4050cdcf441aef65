"""The places of names that collide, and the twins for them."""

from __future__ import annotations

import importlib
import inspect
import operator
import sys
from collections.abc import MutableMapping, MutableSequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from ..._inspect.texts import nearest
from ..errors import usage_error
from .recoloured import recoloured, recoloured_object
from .swaps import ABSENT, keep_attribute, keep_item

_BOUND_BY_A_CLASS = (FunctionType, staticmethod, classmethod)
_CONTAINERS = (MutableMapping, MutableSequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A name, the object behind it, and the twin that replaces it.

    Args:
        owner: The module, class, object or container that has the name.
        name: The attribute, or the key or index in a container.
        found: The object, as the owner holds it.
        twin: The same object in the other colour.
        module: The module that the owner is reached from, where that is known.
        path: The names from that module down to it.
        is_item: Whether ``owner`` is a container.
    """

    owner: Any
    name: Any
    found: Any
    twin: Any
    module: ModuleType | None = None
    path: tuple[str, ...] = ()
    is_item: bool = False

    @property
    def label(self) -> str:
        """The name in messages."""
        end = f"[{self.name!r}]" if self.is_item else f".{self.name}"
        return f"{label_of(self.owner)}{end}"

    @property
    def is_method(self) -> bool:
        """Whether a class has it."""
        return isinstance(self.owner, type)

    def put(self, value: Any, undo: ExitStack) -> None:
        """Set the name until ``undo`` closes.

        Raises:
            GuardUsageError: The owner does not accept the value.
        """
        try:
            if self.is_item:
                keep_item(self.owner, self.name, undo)
                self.owner[self.name] = value
            else:
                keep_attribute(self.owner, self.name, undo)
                setattr(self.owner, self.name, value)
        except (AttributeError, TypeError) as error:
            raise usage_error(f"{self.label} cannot be set: {error}") from None


def find_place(target: object, name: object = None) -> Place:
    """Find the attribute that a path, or an object and a name, refer to.

    Raises:
        GuardUsageError: There is no such attribute, or it has no twin.
    """
    module: ModuleType | None = None
    path: tuple[str, ...] = ()
    if isinstance(target, str) and name is None:
        module, owner, path = _resolve(target)
        attribute = path[-1]
    elif isinstance(name, str) and not isinstance(target, str):
        owner, attribute = target, name
        module, path = _home_of(owner, attribute)
    else:
        raise usage_error(
            "collide() takes one string, or an object and a name; write "
            'collide("package.module:function") or collide(module, "function").'
        )
    found = attribute_of(owner, attribute)
    return Place(
        owner=owner,
        name=attribute,
        found=found,
        twin=recoloured(found),
        module=module,
        path=path,
    )


def find_held(target: object, name: object = None) -> Place:
    """Find an item of a container or an object, where a twin can be injected.

    Raises:
        GuardUsageError: There is no such item, it is in a module or has no twin.
    """
    if isinstance(target, str):
        _, owner, path = _resolve(target)
        held: Any = path[-1] if name is None else name
        owner = owner if name is None else _part(owner, path[-1])
    else:
        owner, held = target, name
    is_item = isinstance(owner, _CONTAINERS)
    if held is None or isinstance(owner, ModuleType):
        raise usage_error(
            "injection needs the owner of the callable, and the key, index or "
            'attribute; write collide("package.module:REGISTRY", "redis", '
            'kind="injection") or collide(service, "manager", kind="injection").'
        )
    if is_item:
        held, found = _item(owner, held)
    else:
        found = attribute_of(owner, held)
    twin = recoloured_object(found)
    return Place(owner=owner, name=held, found=found, twin=twin, is_item=is_item)


def label_of(owner: Any) -> str:
    """Return the dotted name of a module or class, or of an object's class."""
    if isinstance(owner, ModuleType):
        return owner.__name__
    kind = owner if isinstance(owner, type) else type(owner)
    return f"{kind.__module__}.{kind.__qualname__}"


def attribute_of(owner: Any, name: Any) -> Any:
    """Return the object behind a name, as its owner holds it."""
    found = inspect.getattr_static(owner, str(name), ABSENT)
    # An instance needs the bound method; a module may have a __getattr__.
    is_bound = isinstance(found, _BOUND_BY_A_CLASS) or inspect.ismemberdescriptor(found)
    if (found is ABSENT or is_bound) and not isinstance(owner, type):
        found = getattr(owner, str(name), ABSENT)
    if found is ABSENT:
        hint = nearest(str(name), dir(owner))
        raise usage_error(f"{label_of(owner)} has no attribute {name!r}.{hint}")
    return found


def _item(container: Any, key: Any) -> tuple[Any, Any]:
    """Return the key, as an index from the front, and its item."""
    try:
        if isinstance(container, MutableSequence):
            key = operator.index(key)
            key += len(container) if key < 0 else 0
        return key, container[key]
    except (LookupError, TypeError):
        known = [str(it) for it in container] if hasattr(container, "keys") else []
        raise usage_error(
            f"{label_of(container)} has no item {key!r}.{nearest(str(key), known)}"
        ) from None


def _home_of(owner: Any, name: str) -> tuple[ModuleType | None, tuple[str, ...]]:
    """Return the module that an owner is reached from, and the names to there."""
    if isinstance(owner, ModuleType):
        return owner, (name,)
    if not isinstance(owner, type):
        return None, ()
    module = sys.modules.get(owner.__module__)
    path = owner.__qualname__.split(".")
    found: Any = module
    for part in path:
        found = getattr(found, part, None)
    return (module, (*path, name)) if found is owner else (None, ())


def _resolve(target: str) -> tuple[ModuleType, Any, tuple[str, ...]]:
    """Return the module of a path, the owner of its last name, and the names."""
    path, colon, inner = target.partition(":")
    if not colon:
        path, _, inner = target.rpartition(".")
    names = inner.split(".")
    if not path or not names[-1]:
        raise usage_error(
            f"{target!r} is not the path of a function; "
            'write collide("package.module:function").'
        )
    module, more = _imported(path, target)
    names = [*more, *names]
    owner: Any = module
    for part in names[:-1]:
        owner = _part(owner, part)
    return module, owner, tuple(names)


def _part(owner: Any, name: str) -> Any:
    found = getattr(owner, name, ABSENT)
    if found is ABSENT:
        hint = nearest(name, dir(owner))
        raise usage_error(f"{label_of(owner)} has no attribute {name!r}.{hint}")
    return found


def _imported(path: str, target: str) -> tuple[ModuleType, list[str]]:
    """Import a module; without a colon, the end of the path may be a class."""
    try:
        return importlib.import_module(path), []
    except ModuleNotFoundError as error:
        if not error.name or not f"{path}.".startswith(f"{error.name}."):
            raise usage_error(
                f"{path} cannot be imported: {error}; install its requirements first."
            ) from error
        outer, _, last = path.rpartition(".")
        if ":" not in target and outer:
            owner, more = _imported(outer, target)
            if not more and isinstance(getattr(owner, last, None), type):
                return owner, [last]
        raise usage_error(
            f"there is no module {error.name!r}; write "
            'collide("package.module:function") with a path that imports.'
        ) from None
    except Exception as error:
        raise usage_error(
            f"{path} cannot be imported: {type(error).__name__}: {error}; "
            f'run python -c "import {path}" to see why.'
        ) from error
