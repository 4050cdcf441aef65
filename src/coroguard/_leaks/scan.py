"""The search for awaitables, and for texts of leaks, inside a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._inspect.awaitables import ids, kind_of, own_state, what_is
from .._inspect.contents import CLOSED, is_closed, opened
from .._inspect.promises import field_annotation, field_promises
from .._inspect.texts import render_path
from .._inspect.values import NODES, Walk
from .symptoms import SUSPECT, is_suspect, symptom

if TYPE_CHECKING:
    from .leak import Leak

_ERRORS = ("error", "exception", "reason", "detail")
#: Keys and attributes whose texts are errors.
ERROR_NAMES = frozenset((*_ERRORS, *(f"{name}s" for name in _ERRORS)))

_UNNAMED = ids(list, tuple, set, frozenset)
_CONTAINERS = _UNNAMED | ids(dict)
_MOST_CONTAINERS = 10_000
_MOST_SYMPTOMS = 100
_NEAR = 100  # steps of a path that are searched for undeclared attributes


class Found(NamedTuple):
    """An un-awaited object inside a value.

    Args:
        what: What it is, as ``what_is`` names it.
        value: The object itself.
        path: Where it is, such as ``$.component_details.redis.connected``.
        declared: Whether all attributes on the path are fields of their class.
    """

    what: str
    value: object
    path: str
    declared: bool = True


class Scan(NamedTuple):
    """The result of a scan.

    Args:
        found: The un-awaited objects.
        symptoms: Leaks whose texts the value holds, at most 100.
        nodes: How many objects were read.
        complete: Whether all of the value was read.
    """

    found: list[Found]
    symptoms: list[Leak]
    nodes: int
    complete: bool


def scan(value: object, *, limit: int = NODES, quoted: bool = False) -> Scan:
    """Search a value for awaitables, iteratively and without its own code.

    The value itself is not judged, only what it holds.

    Args:
        value: Any object.
        limit: Most nodes to read.
        quoted: Whether the value is a report: then error texts count anywhere,
            also in the middle of other words. Else they count only below keys
            and attributes that are named like errors, and only at their end.
    """
    found: list[Found] = []
    symptoms: list[Leak] = []
    texts = None if quoted else ERROR_NAMES
    walk = Walk(value, limit=limit, texts=texts, hints=SUSPECT, unseen=_CONTAINERS)
    for node in walk:
        if type(node) is str:
            if len(symptoms) < _MOST_SYMPTOMS:
                leak = symptom(node, quoted=quoted)
                if leak is not None:
                    symptoms.append(leak.at(render_path(walk.steps)))
        elif (what := what_is(node)) is not None:
            walk.passes_by = True
            if not _field_promises(walk.steps[-1], node):
                found.append(_found(what, node, walk.steps))
    return Scan(found, symptoms, walk.nodes, walk.complete)


def is_quiet(value: Any, *, texts: bool = False) -> bool:
    """Return whether a value provably holds no awaitable and no text of a leak.

    A first try that costs less than a scan: it keeps no path, and decides once for
    each class whether its instances hold anything.

    Args:
        value: Any object.
        texts: Whether texts count anywhere, and not only as those of errors.
    """
    kind = type(value)
    if kind is str:
        return not texts or not is_suspect(value)
    try:
        if kind is dict or kind is list or kind is tuple or kind is set:
            if not texts and _is_flat(value, kind):
                return True
        elif is_closed(kind):
            return True
        waiting, seen = [value], {id(value)}
        for node in waiting:  # grows while it is read
            items: Iterable[Any] = node
            if id(type(node)) not in _UNNAMED:
                inside = _inside(node)
                if inside is None or len(waiting) > _MOST_CONTAINERS:
                    return False
                names, items = inside
                if not texts and not ERROR_NAMES.isdisjoint(names):
                    return is_quiet(value, texts=True)
            known: type | None = None
            for item in items:
                if type(item) is known:
                    continue
                kind = type(item)
                if kind is str and texts:
                    if is_suspect(item):
                        return False
                elif id(kind) in CLOSED or is_closed(kind):
                    known = kind
                elif id(item) not in seen:
                    seen.add(id(item))
                    waiting.append(item)
    except Exception:  # changed by another thread, or a fault: the scan reports it
        return False
    return True


def _is_flat(value: Any, kind: type) -> bool:
    """Return whether a built-in container has closed items only, and no errors."""
    known: type | None = None
    for item in value.values() if kind is dict else value:
        inner = type(item)
        if inner is known or inner is str or inner is int or item is None:
            continue
        if id(inner) not in CLOSED:
            return False
        known = inner
    if kind is dict:
        for key in value:
            if type(key) is not str or key in ERROR_NAMES:
                return False
    return True


def _inside(node: Any) -> tuple[Iterable[str], Iterable[Any]] | None:
    """Return the names in what can be opened, and the rest; ``None`` to scan it."""
    kind = type(node)
    if kind is dict:
        names: Any = node
        items: Any = node.values()
    elif kind_of(node) is not None:
        return None
    elif issubclass(kind, dict):
        state = own_state(node)
        names = [*dict.keys(node), *state]
        items = [*dict.values(node), *state.values()]
    else:
        pairs = [*(opened(node, kind) or ())]
        names = [step[1] if type(step) is tuple else step for step, _ in pairs]
        items = [child for _, child in pairs]
    for name in names:
        if type(name) is not str:
            odd = [it for it in names if type(it) is not str]
            return [it for it in names if type(it) is str], [*odd, *items]
    return names, items


def _found(what: str, value: object, steps: list[Any]) -> Found:
    declared = all(
        field_annotation(step[0], step[1]) is not None
        for step in steps[-_NEAR:]
        if type(step) is tuple and not issubclass(step[0], tuple)
    )
    return Found(what, value, render_path(steps), declared)


def _field_promises(step: Any, value: object) -> bool:
    """Return whether the field that holds an awaitable is annotated as one."""
    if type(step) is not tuple:
        return False
    return field_promises(step[0], step[1], value)
