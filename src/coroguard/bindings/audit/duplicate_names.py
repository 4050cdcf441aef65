"""Names that one scope defines or imports twice, in two colours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..._inspect.attributes import MISSING, member, unbound
from ..._inspect.awaitables import class_of
from ..._inspect.colours import Colour, colour_of
from ..findings import FindingKind
from .call_uses import Use
from .calls import qualified_name
from .control_flow import are_exclusive
from .locations import Place, place_of, report
from .plain_results import is_surely_async
from .rebindings import steps_of
from .scopes import By

if TYPE_CHECKING:
    from ..findings import Finding
    from .module_source import Reading
    from .plain_results import Plainness
    from .rebindings import Step
    from .scopes import Scope

_MANY = 3


def bound_twice(reading: Reading, plainness: Plainness) -> Iterator[Finding]:
    """Yield the names that a scope binds in two colours, one after the other.

    Silent where the first is used before the second comes, and where only one
    of the two can be bound; unless the module calls the name as if it were
    always of one colour.
    """
    for scope in reading.source.all_scopes:
        if not scope.stars and all(len(it) < 2 for it in scope.bound.values()):
            continue
        twice = _Twice(scope, reading, plainness)
        for name, steps in steps_of(scope, reading).items():
            for first, second in pairwise(steps):
                yield from twice.judge(name, first, second)


class _Twice:
    """Judges two bindings of one name in one scope."""

    def __init__(self, scope: Scope, reading: Reading, plainness: Plainness) -> None:
        self._scope = scope
        self._reading = reading
        self._plainness = plainness

    def judge(self, name: str, first: Step, second: Step) -> Iterator[Finding]:
        """Yield the finding, if there is one."""
        in_sequence = self._in_sequence(first, second)
        words = self._differ(first, second, surely=not in_sequence)
        if not all(words) or self._is_used_between(name, first, second):
            return
        is_choice = first.by is not By.DEF or second.by is not By.DEF
        # A call of a class does not show how its methods are called.
        is_choice &= not _is_class(first.found)
        if in_sequence or (is_choice and self._is_called_in_one_way(name)):
            yield from self._found(name, first, second, words)

    def _differ(self, first: Step, second: Step, *, surely: bool) -> tuple[str, str]:
        """Return how both are called, in words; empty where they do not differ.

        Args:
            first: The earlier binding.
            second: The later one.
            surely: Whether what the sync one gives has to be known, too. Not so
                where the later binding only hides the earlier one.
        """
        if first.node is second.node:
            return "", ""
        if _is_class(first.found) and _is_class(second.found):
            odd = self._plainness.odd_method(first.found, second.found)
            one, other = (_is_written(it.found, odd) for it in (first, second))
            return (one, other) if odd else ("", "")
        if first.colour is None or second.colour is None:
            return "", ""
        if not surely or (first.by is By.DEF and second.by is By.DEF):
            differ = first.colour is not second.colour
            differ &= Colour.EITHER not in (first.colour, second.colour)
        else:
            pairs = ((first, second), (second, first))
            differ = any(_is_async(it) and self._is_plain(also) for it, also in pairs)
        return (first.colour, second.colour) if differ else ("", "")

    def _is_plain(self, step: Step) -> bool:
        if step.found is not MISSING:
            return self._plainness.lacks(step.found)
        return step.colour is Colour.SYNC and any(
            self._plainness.defines_plain(inner, self._reading)
            for inner in self._reading.source.all_scopes
            if inner.node is step.node
        )

    def _in_sequence(self, first: Step, second: Step) -> bool:
        """Return whether the second binding always comes when the first did."""
        # Code that a ``try`` may skip counts: without a fault it is not skipped.
        one, other = (self._reading.source.path(it.node) for it in (first, second))
        needed = {it for it in other if it[1] not in ("body", "orelse") or _is_if(it)}
        return not are_exclusive(one, other) and needed <= set(one)

    def _is_called_in_one_way(self, name: str) -> bool:
        """Return whether the calls of the name all use it as of one colour."""
        source = self._reading.source
        uses = {
            call.use is Use.AWAITED
            for call in self._reading.calls
            if call.written == name
            and source.owner(name, source.scopes[call.node]) is self._scope
            and call.use is not Use.UNKNOWN
        }
        return len(uses) == 1

    def _is_used_between(self, name: str, first: Step, second: Step) -> bool:
        source = self._reading.source
        body = getattr(second.node, "body", None) or [second.node]
        start = first.node.end_lineno, first.node.end_col_offset
        end = body[0].lineno, body[0].col_offset
        return any(
            start <= (read.lineno, read.col_offset) < end
            for inner in source.all_scopes
            if name in inner.reads and _runs_at_once(inner, self._scope)
            for read in inner.reads[name]
        )

    def _found(
        self, name: str, first: Step, second: Step, words: tuple[str, str]
    ) -> Iterator[Finding]:
        where = self._where()
        kind, what = FindingKind.IMPORTED_TWICE, "bound"
        fix = f"import one of them under a name of its own (import {name} as ...)"
        if By.STAR in (first.by, second.by):
            fix += ", and name in place of * what is needed"
        if first.by is By.DEF and second.by is By.DEF:
            kind, what = FindingKind.DEFINED_TWICE, "defined"
            fix = f"rename one of them, or delete it; callers get the {words[1]} one"
        return report(
            kind,
            f"{self._reading.name}:{where and where + '.'}{name}",
            f"{name} is {what} twice in {where or self._reading.name}: "
            f"first {words[0]}, then {words[1]}",
            self._place(name, first),
            self._place(name, second),
            fix,
        )

    def _where(self) -> str:
        """Return the qualified name of the scope; empty for the module."""
        node = self._scope.node
        outer = qualified_name(self._scope.parent)
        if self._scope.is_function:
            return qualified_name(self._scope)
        name = node.name if isinstance(node, ast.ClassDef) else ""
        return f"{outer}.<locals>.{name}" if outer and name else name

    def _place(self, name: str, step: Step) -> Place:
        if step.by is By.DEF:
            word = "async def" if isinstance(step.node, ast.AsyncFunctionDef) else "def"
            return Place(self._reading.file, step.node.lineno, f"{word} {name}")
        written = ast.unparse(step.node)
        if len(step.node.names) > _MANY and isinstance(step.node, ast.ImportFrom):
            source = "." * step.node.level + (step.node.module or "")
            written = f"from {source} import {name}"
        there = place_of(step.found)
        says = f"{written} ({there.what}, {there.at})" if there else written
        return Place(self._reading.file, step.node.lineno, says)


def _is_async(step: Step) -> bool:
    if step.found is not MISSING:
        return is_surely_async(step.found)
    return step.colour in (Colour.ASYNC, Colour.ASYNC_ITERATOR)


def _is_if(step: tuple[ast.AST, str]) -> bool:
    return isinstance(step[0], (ast.If, ast.IfExp))


def _runs_at_once(inner: Scope, scope: Scope) -> bool:
    """Return whether code runs where it is written, not when it is called."""
    ends = (it for it in inner.outwards() if it is scope or it.is_called)
    return next(ends, None) is scope


def _is_class(found: Any) -> bool:
    return found is not MISSING and issubclass(class_of(found), type)


def _is_written(cls: type, method: str) -> str:
    return f"a class whose {method}() is {colour_of(unbound(member(cls, method)))}"
