"""The search for awaitables, and for texts of leaks, inside a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._inspect.awaitables import ATOM_IDS, ATOMS, are_only, ids, what_is
from .._inspect.contents import PLAIN
from .._inspect.promises import field_annotation, field_promises, is_loose
from .._inspect.texts import render_path
from .._inspect.values import NODES, Walk
from .symptoms import is_suspect, symptom

if TYPE_CHECKING:
    from .leak import Leak

_ERRORS = ("error", "exception", "reason", "detail")
#: Keys and attributes whose texts are errors.
ERROR_NAMES = frozenset((*_ERRORS, *(f"{name}s" for name in _ERRORS)))

_CONTAINERS = ids(dict, list, tuple, set, frozenset)
_MOST_CONTAINERS = 10_000
_MOST_SYMPTOMS = 100
_NEAR = 100  # steps of a path that are searched for owners


class Found(NamedTuple):
    """An un-awaited object inside a value.

    Args:
        what: What it is, as ``what_is`` names it.
        value: The object itself.
        path: Where it is, such as ``$.component_details.redis.connected``.
        owned: Whether an object on the path owns it in an attribute that does
            not promise plain data: one without an annotation, or of type
            ``Any`` or ``object``.
        declared: Whether all attributes on the path are fields of their class.
    """

    what: str
    value: object
    path: str
    owned: bool = False
    declared: bool = True


class Scan(NamedTuple):
    """What a scan found.

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
    walk = Walk(value, limit=limit, texts=texts, unseen=_CONTAINERS)
    for node in walk:
        if type(node) is str:
            if is_suspect(node) and len(symptoms) < _MOST_SYMPTOMS:
                leak = symptom(node, quoted=quoted)
                if leak is not None:
                    symptoms.append(leak.at(render_path(walk.steps)))
        elif (what := what_is(node)) is not None:
            walk.pass_by()
            if not _field_promises(walk.steps[-1], node):
                found.append(_found(what, node, walk.steps))
    return Scan(found, symptoms, walk.nodes, walk.complete)


def is_quiet(value: object) -> bool:
    """Return whether a value provably holds no awaitable and no text of a leak.

    True only for built-in values and containers, exactly of these types; all
    others need a scan. It costs less than a scan, for which it is a first try.
    """
    if type(value) is str:
        return not is_suspect(value)
    waiting = [value]
    try:
        for container in waiting:  # grows while it is read
            if len(waiting) > _MOST_CONTAINERS or not _holds_quiet(container, waiting):
                return False
    except RuntimeError:  # changed by another thread
        return False
    return True


def _holds_quiet(container: Any, waiting: list[Any]) -> bool:
    """Return whether the items are quiet, and add containers to ``waiting``."""
    kind = type(container)
    items = container
    if kind is dict:
        if not are_only(PLAIN, container):
            return False
        items = container.values()
    elif id(kind) not in _CONTAINERS:
        return id(kind) in ATOM_IDS
    if are_only(ATOMS, items):  # numbers at the speed of C
        return True
    for item in items:
        kind = type(item)
        if kind is str:
            if is_suspect(item):
                return False
        elif id(kind) in _CONTAINERS:
            waiting.append(item)
        elif id(kind) not in ATOM_IDS:
            return False
    return True


def _found(what: str, value: object, steps: list[Any]) -> Found:
    near = steps[-_NEAR:]
    fields = [
        field_annotation(step[0], step[1])
        for step in near
        if type(step) is tuple and not issubclass(step[0], tuple)
    ]
    return Found(
        what,
        value,
        render_path(steps),
        owned=any(map(is_loose, fields)),
        declared=None not in fields,
    )


def _field_promises(step: Any, value: object) -> bool:
    """Return whether the field that holds an awaitable is annotated as one."""
    if type(step) is not tuple:
        return False
    return field_promises(step[0], step[1], value)
