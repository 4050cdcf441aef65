"""Where inside a value is something un-awaited, or the text of a leak?"""

from __future__ import annotations

import types
from collections import ChainMap, UserDict, UserList, deque
from gc import get_referents
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import is_normalized

from .._inspect.awaitables import ATOMS, static_type_attribute, what_is
from .._inspect.promises import field_promises
from .symptoms import symptom, telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .leak import Leak

    _Step = tuple[str | type, object, object]

__all__ = ["NODES", "Found", "Scan", "render", "scan"]

#: How many nodes a scan reads before it stops and says so.
NODES = 2_000_000


class Found(NamedTuple):
    """An un-awaited object inside a value.

    Args:
        what: What it is, as ``what_is`` says.
        value: The object itself.
        path: Where it is, such as ``$.component_details.redis.connected``.
    """

    what: str
    value: object
    path: str


class Scan(NamedTuple):
    """What a scan found.

    Args:
        found: The un-awaited objects.
        symptoms: Leaks of which the value's texts tell.
        nodes: How many objects were read.
        complete: Whether all of the value was read.
    """

    found: list[Found]
    symptoms: list[Leak]
    nodes: int
    complete: bool


# Typed Any, because their generic types say nothing about what a value holds.
_Dict: Any = dict
_List: Any = list
_Deque: Any = deque
_Tuple: Any = tuple
_Set: Any = set
_Frozenset: Any = frozenset

# A path is a linked list, so that a step costs one small tuple however deep it
# is, and is written out only for what was found.
# The step is a mark, or the class whose field it is.
_Path = tuple[Any, str | type, object] | None


def scan(
    value: object,
    *,
    limit: int = NODES,
    quoted: bool = False,
) -> Scan:
    """Search a value for awaitables, iteratively and without its own code.

    Reads dicts, sequences, sets, named tuples, dataclasses, attrs classes,
    pydantic models (extra and private data too), simple namespaces and the
    mappings of the standard library; nothing else is entered. The value
    itself is not judged, only what it holds.

    Args:
        value: Any object.
        limit: Most nodes to read.
        quoted: Accept an error text in the middle of other words.
    """
    found: list[Found] = []
    symptoms: list[Leak] = []
    seen: set[int] = set()
    stack: list[tuple[object, _Path]] = [(value, None)]
    nodes = 1
    children: Iterable[_Step] | None
    while stack:
        node, path = stack.pop()
        kind = type(node)
        if kind is str:
            leak = symptom(node, render(path), quoted=quoted)  # type: ignore[arg-type]
            if leak is not None:
                symptoms.append(leak)
            continue
        if kind is dict:  # the usual containers, without a call
            children = _of_dict(node, kind)
        elif kind is list:
            held: list[object] = [*node]  # type: ignore[misc]
            children = [("[]", i, child) for i, child in enumerate(held)]
        else:
            what = None if path is None else what_is(node)
            if what is not None:
                if not _field_promises(path, node):
                    found.append(Found(what, node, render(path)))
                continue
            children = _children(node, kind)
            if children is None:
                continue
        if id(node) in seen:
            continue
        seen.add(id(node))
        for step, key, child in children:
            nodes += 1
            child_kind = type(child)
            if child_kind in ATOMS or (child_kind is str and not telling(child)):  # type: ignore[arg-type]
                continue
            stack.append((child, (path, step, key)))
        if nodes > limit:
            return Scan(found, symptoms, nodes, complete=False)
    return Scan(found, symptoms, nodes, complete=True)


def _children(node: Any, kind: type[Any]) -> Iterable[_Step] | None:
    """Return ``(step, key, child)`` of what a container holds, else ``None``.

    What another thread may change meanwhile is copied in one step.
    """
    if issubclass(kind, _Dict):
        return _of_dict(node, kind)
    if issubclass(kind, (_List, _Deque)):
        iterate = _List.__iter__ if issubclass(kind, _List) else _Deque.__iter__
        return (("[]", i, child) for i, child in enumerate(list(iterate(node))))
    if issubclass(kind, _Tuple):
        names = static_type_attribute(kind, "_fields")
        if isinstance(names, _Tuple) and len(names) == _Tuple.__len__(node):
            pairs = zip(names, _Tuple.__iter__(node), strict=True)
            return ((kind, name, child) for name, child in pairs)
        return (("[]", i, child) for i, child in enumerate(_Tuple.__iter__(node)))
    if issubclass(kind, (_Set, _Frozenset)):
        each = _Set.__iter__ if issubclass(kind, _Set) else _Frozenset.__iter__
        return (("<>", "item", child) for child in list(each(node)))
    if kind is types.MappingProxyType:
        # Reading through the proxy would run the methods of a user's mapping.
        return (("", None, child) for child in get_referents(node))
    if issubclass(kind, (UserDict, UserList)):
        return (("", None, child) for child in list(_own(node).values()))
    if issubclass(kind, ChainMap):
        maps: Any = _own(node).get("maps")
        return [("", None, child) for child in maps] if type(maps) is _List else []
    if kind is types.SimpleNamespace:
        return ((".", name, child) for name, child in list(_own(node).items()))
    return _of_record(node, kind)


def _of_dict(node: Any, kind: type) -> Iterator[_Step]:
    """Yield values and keys; a subclass's own ``items`` is not called."""
    for key, child in list(_Dict.items(node)):
        yield ".", key, child
        if type(key) is not str and type(key) not in ATOMS:
            yield "<>", "key", key
    if kind is not dict:
        for name, child in list(_own(node).items()):
            yield ".", name, child


def _of_record(node: Any, kind: type) -> Iterable[_Step] | None:
    """Return the fields of a dataclass, attrs class or pydantic model."""
    for marker in ("__dataclass_fields__", "__attrs_attrs__"):
        if static_type_attribute(kind, marker) is not None:
            return _of_fields(node, kind)
    if static_type_attribute(kind, "__pydantic_core_schema__") is not None:
        return _of_model(node, kind)
    return None


def _of_fields(node: Any, kind: type) -> Iterator[_Step]:
    """Yield what the instance holds, in its ``__dict__`` and in its slots."""
    for name, child in list(_own(node).items()):
        yield kind, name, child
    for base in type.__dict__["__mro__"].__get__(kind):
        for name, slot in base.__dict__.items():
            if type(slot) is types.MemberDescriptorType:
                try:
                    yield kind, name, slot.__get__(node)
                except AttributeError:  # a slot that was never set
                    continue


def _of_model(node: Any, kind: type) -> Iterator[_Step]:
    """Yield fields, extra and private data of a pydantic model."""
    for name, child in list(_own(node).items()):
        yield kind, name, child
    for slot in ("__pydantic_extra__", "__pydantic_private__"):
        descriptor = static_type_attribute(kind, slot)
        if type(descriptor) is types.MemberDescriptorType:
            try:
                held = descriptor.__get__(node)
            except AttributeError:  # a model made by ``__new__`` alone
                continue
            if type(held) is _Dict:
                for name, child in list(held.items()):
                    yield kind, name, child


def _own(node: object) -> dict[str, object]:
    """Return the instance's ``__dict__`` without running a property of it."""
    for base in type.__dict__["__mro__"].__get__(type(node)):
        descriptor = base.__dict__.get("__dict__")
        if type(descriptor) in (types.GetSetDescriptorType, types.MemberDescriptorType):
            held = descriptor.__get__(node)
            own: dict[str, object] = held if type(held) is _Dict else {}
            return own
    return {}


def _field_promises(path: _Path, value: object) -> bool:
    """Say whether the field that holds an awaitable is annotated as one."""
    if path is None or not isinstance(path[1], type):
        return False
    return field_promises(path[1], str(path[2]), value)


def render(path: _Path) -> str:
    """Write a path out: ``$.details['odd key'][0].name``."""
    steps: list[str] = []
    while path is not None:
        parent, step, key = path
        steps.append(_step(step, key))
        path = parent
    return "$" + "".join(reversed(steps))


def _is_name(key: str) -> bool:
    is_identifier = str.isidentifier(key) and not iskeyword(key)
    # Python reads an identifier in another form of its letters than a key has.
    return is_identifier and is_normalized("NFKC", key)


def _step(step: str | type, key: object) -> str:
    if step == "<>":
        return f"<{key}>"
    if step == "":
        return ""
    if step != "[]" and isinstance(key, str) and _is_name(key):
        return f".{key}"
    if type(key) in ATOMS or type(key) is str:
        text = repr(key)
        return f"[{text if len(text) <= 40 else text[:37] + '...'}]"
    return f"[<{type(key).__name__}>]"
