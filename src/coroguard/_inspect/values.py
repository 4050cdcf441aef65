"""The walk over what a value holds, which runs no code of the value."""

from __future__ import annotations

import builtins
import sys
import types
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Callable, Iterable
from gc import get_referents
from typing import TYPE_CHECKING, Any, TypeVar

from .awaitables import ATOMS, per_class, static_type_attribute
from .texts import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TEMPLATES: Any = ()  # template strings, where the interpreter has them (3.14)
if sys.version_info >= (3, 14):
    from string.templatelib import Interpolation, Template

    _TEMPLATES = (Template, Interpolation)

#: How many objects a walk reads before it stops.
NODES = 2_000_000
#: Built-in values without an inside: atoms and text.
PLAIN = ATOMS | {str}
#: ``frozendict``, where the interpreter has it (3.15); it is not a ``dict``.
FROZENDICT: type[Any] | None = getattr(builtins, "frozendict", None)

_RECORDS = ("__dataclass_fields__", "__attrs_attrs__")
_MODEL = "__pydantic_core_schema__"
_ITEM, _KEY, _THROUGH = Mark("<item>"), Mark("<key>"), Mark("")
_COPIES = 3
_T = TypeVar("_T")

# Typed Any, because their generic types do not describe what a value holds.
_Dict: Any = dict
_List: Any = list
_Deque: Any = deque
_Tuple: Any = tuple
_Set: Any = set
_Frozenset: Any = frozenset

_Pairs = Iterable[tuple[object, object]]


class Walk:
    """An iterative walk in reading order over everything that a value holds.

    Iterating yields the objects inside the value, without the value itself and
    what is in ``ATOMS``. Dicts, sequences, sets, named tuples, dataclasses,
    attrs classes, pydantic models (also their extra and private data), simple
    namespaces, template strings and the mappings of the standard library are
    entered, each once.

    Args:
        root: Any object.
        limit: Most objects to read.
        texts: Keys and attributes below which texts are visited, at any depth;
            ``None`` visits all texts.
        unseen: Types whose instances are entered without being yielded.

    Attributes:
        steps: Path of the object that was yielded last, for ``render_path``.
        nodes: How many objects have been read.
        complete: Whether nothing was left out: by the limit, or because
            another thread kept changing a container.
    """

    def __init__(
        self,
        root: object,
        *,
        limit: int = NODES,
        texts: frozenset[str] | None = None,
        unseen: frozenset[type] = frozenset(),
    ) -> None:
        self.steps: list[object] = []
        self.nodes = 1
        self.complete = True
        self._root = root
        self._limit = limit
        self._words: frozenset[object] | None = texts
        self._unseen = unseen
        self._stack: list[tuple[Iterator[tuple[object, object]], object, bool]] = []
        self._around: set[int] = set()
        self._entered: set[int] = set()
        self._passes = False

    def pass_by(self) -> None:
        """Do not enter the object that was yielded last."""
        self._passes = True

    def is_inside(self, container: object) -> bool:
        """Return whether the walk is inside this container now."""
        return id(container) in self._around

    def __iter__(self) -> Iterator[object]:
        self._enter(self._root, texts=self._words is None)
        stack, steps, limit = self._stack, self.steps, self._limit
        while stack and self.nodes <= limit:
            pairs, node, texts = stack[-1]
            for step, child in pairs:
                self.nodes += 1
                if self.nodes > limit:
                    break
                kind = type(child)
                if kind in ATOMS:
                    continue
                shown = texts or self._is_word(step)
                if kind is str and not shown:
                    continue
                steps.append(step)
                if kind not in self._unseen:
                    yield child
                if self._passes:
                    self._passes = False
                elif kind is not str and self._enter(child, shown):
                    break
                steps.pop()
            else:
                stack.pop()
                self._around.discard(id(node))
                if steps:
                    steps.pop()
        self.complete = self.complete and self.nodes <= limit

    def _is_word(self, step: object) -> bool:
        """Return whether texts below this step are visited."""
        name: object = step[1] if type(step) is tuple else step
        return name in self._words  # type: ignore[operator]

    def _enter(self, node: object, texts: bool) -> bool:
        """Begin to read a container; return whether there is anything to read."""
        if id(node) in self._entered:
            return False
        kind = type(node)
        if size := self._size_of_plain(node, kind, texts):
            self.nodes += size
            return False
        try:
            pairs = _opened(node, kind)
        except RuntimeError:
            self.complete = False
            return False
        if pairs is None:
            return False
        self._entered.add(id(node))
        self._around.add(id(node))
        self._stack.append((iter(pairs), node, texts))
        return True

    def _size_of_plain(self, node: Any, kind: type, texts: bool) -> int:
        """Return the size of a built-in container with nothing to visit, else 0."""
        skipped = ATOMS if texts else PLAIN
        try:
            if kind is list or kind is tuple:
                return len(node) if skipped.issuperset(map(type, node)) else 0
            if (
                kind is dict
                and PLAIN.issuperset(map(type, node))
                and skipped.issuperset(map(type, node.values()))
                and (texts or self._words.isdisjoint(node))  # type: ignore[union-attr]
            ):
                return len(node)
        except RuntimeError:  # changed by another thread
            pass
        return 0


def own_attributes(node: object) -> dict[str, object]:
    """Return the instance's ``__dict__`` without running a property of it."""
    for names in namespaces(type(node)):
        descriptor: Any = names.get("__dict__")
        if type(descriptor) in (types.GetSetDescriptorType, types.MemberDescriptorType):
            held = descriptor.__get__(node)
            own: dict[str, object] = held if type(held) is _Dict else {}
            return own
    return {}


def namespaces(kind: type) -> Iterator[Mapping[str, Any]]:
    """Yield the namespaces of a class and its bases, past its metaclass."""
    for base in type.__dict__["__mro__"].__get__(kind):
        yield type.__dict__["__dict__"].__get__(base)


def _opened(node: Any, kind: type[Any]) -> _Pairs | None:
    """Return ``(step, child)`` of what a container holds, else ``None``.

    Raises:
        RuntimeError: Another thread changed it during each copy.
    """
    if issubclass(kind, (_List, _Deque)):
        base = _List if issubclass(kind, _List) else _Deque
        return enumerate(_copy(base.__iter__, node))
    if issubclass(kind, _Dict):
        pairs = _of_mapping(_Dict, node)
        return pairs if kind is dict else [*pairs, *_of_attributes(node, kind)]
    if issubclass(kind, _Tuple):
        return _of_tuple(node, kind)
    if issubclass(kind, (_Set, _Frozenset)):
        base = _Set if issubclass(kind, _Set) else _Frozenset
        return [(_ITEM, child) for child in _copy(base.__iter__, node)]
    if FROZENDICT is not None and issubclass(kind, FROZENDICT):
        return _of_mapping(FROZENDICT, node)
    if kind is types.MappingProxyType:
        # Reading through the proxy would run the methods of a user's mapping.
        return [(_THROUGH, child) for child in get_referents(node)]
    if issubclass(kind, (UserDict, UserList)):
        return [
            (_THROUGH, child) for _, child in _of_mapping(_Dict, own_attributes(node))
        ]
    if issubclass(kind, ChainMap):
        maps: Any = own_attributes(node).get("maps")
        return [(_THROUGH, child) for child in maps] if type(maps) is _List else []
    if kind is types.SimpleNamespace:
        return _of_mapping(_Dict, own_attributes(node))
    if kind in _TEMPLATES:
        name = "interpolations" if kind is _TEMPLATES[0] else "value"
        return [(name, getattr(node, name))]
    return _of_record(node, kind)


def _copy(read: Callable[[Any], Iterable[_T]], node: object) -> list[_T]:
    """Copy a container in one step, with a method of its built-in type.

    Raises:
        RuntimeError: Another thread changed it during each of three copies.
    """
    for _ in range(_COPIES - 1):
        try:
            return [*read(node)]
        except RuntimeError:
            continue
    return [*read(node)]


def _of_mapping(base: Any, node: object) -> _Pairs:
    """Return values by key, and keys that are not plain."""
    pairs = _copy(base.items, node)
    if PLAIN.issuperset([type(key) for key, _ in pairs]):
        return pairs
    found: list[tuple[object, object]] = []
    for key, child in pairs:
        if type(key) in PLAIN:
            found.append((key, child))
        else:
            name = type.__dict__["__name__"].__get__(type(key))
            found += [(Mark(f"[<{name}>]"), child), (_KEY, key)]
    return found


def _of_tuple(node: object, kind: type) -> _Pairs:
    names: Any = None
    if kind is not _Tuple:
        names = static_type_attribute(kind, "_fields")
    if type(names) is _Tuple and len(names) == _Tuple.__len__(node):
        pairs = zip(names, _Tuple.__iter__(node), strict=True)
        return (((kind, name), child) for name, child in pairs)
    return enumerate(_Tuple.__iter__(node))


def _of_record(node: object, kind: type) -> _Pairs | None:
    """Return what a dataclass, attrs class or pydantic model holds."""
    marker = _record_marker(kind)
    if marker is None:
        return None
    inside = _of_model if marker == _MODEL else _of_slots
    return [*_of_attributes(node, kind), *inside(node, kind)]


@per_class
def _record_marker(kind: type) -> str | None:
    for marker in (*_RECORDS, _MODEL):
        if static_type_attribute(kind, marker) is not None:
            return marker
    return None


def _of_attributes(node: object, kind: type) -> _Pairs:
    return [
        ((kind, name), child)
        for name, child in _copy(_Dict.items, own_attributes(node))
    ]


def _of_slots(node: object, kind: type) -> _Pairs:
    for names in namespaces(kind):
        for name, slot in names.items():
            if type(slot) is types.MemberDescriptorType:
                try:
                    yield (kind, name), slot.__get__(node)
                except AttributeError:  # a slot that was never set
                    continue


def _of_model(node: object, kind: type) -> _Pairs:
    """Yield extra and private data of a pydantic model."""
    for slot in ("__pydantic_extra__", "__pydantic_private__"):
        descriptor = static_type_attribute(kind, slot)
        if type(descriptor) is types.MemberDescriptorType:
            try:
                held = descriptor.__get__(node)
            except AttributeError:  # a model made by ``__new__`` alone
                continue
            if type(held) is _Dict:
                is_extra = slot == "__pydantic_extra__"  # data like any other
                for name, child in _copy(_Dict.items, held):
                    yield name if is_extra else (kind, name), child
