"""The walk over what a value holds, which runs no code of the value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .awaitables import ATOM_IDS, ATOMS, are_only
from .contents import PLAIN, opened

if TYPE_CHECKING:
    from .contents import Pairs

#: The most objects that a walk reads.
NODES = 2_000_000
#: Up to so many items, to look at their types first takes longer than it saves.
_FEW = 16


class Walk:
    """An iterative walk in reading order over everything that a value holds.

    Iterating yields the objects inside the value, without the value itself and
    what is in ``ATOMS``. Dicts, sequences, sets, named tuples, dataclasses,
    attrs classes, pydantic models (also their extra and private data), simple
    namespaces, template strings and the mappings of the standard library are
    entered, each once.

    Args:
        root: Any object.
        opener: What opens objects, in the place of the list above: given an
            object and its class, it returns ``(step, child)`` of what to visit,
            and ``None`` for what is not to be entered.
        atoms: Types, by their ``ids``, whose instances are passed over.
        limit: Most objects to read.
        texts: Keys and attributes below which texts are visited, at any depth;
            ``None`` visits all texts.
        hints: Words; texts without any of them are not visited.
        unseen: Types, by their ``ids``, whose instances are entered without
            being yielded.

    Attributes:
        steps: Path of the object that was yielded last, for ``render_path``.
        nodes: How many objects have been read.
        passes_by: To be set in order not to enter the object that was yielded last.
        complete: Whether nothing was left out: by the limit, or because
            another thread kept changing a container.
    """

    def __init__(
        self,
        root: object,
        *,
        opener: Callable[[Any, type[Any]], Pairs | None] | None = None,
        atoms: frozenset[int] = ATOM_IDS,
        limit: int = NODES,
        texts: frozenset[str] | None = None,
        hints: tuple[str, ...] = ("",),
        unseen: frozenset[int] = frozenset(),
    ) -> None:
        self.steps: list[object] = []
        self.nodes = 1
        self.complete = True
        self._root = root
        self._opener = opener
        self._atoms = atoms
        self._limit = limit
        self._words: frozenset[object] | None = texts
        self._hints = hints
        self._unseen = unseen
        self._stack: list[tuple[Iterator[tuple[object, object]], object, bool]] = []
        self._around: set[int] = set()
        self._entered: set[int] = set()
        self.passes_by = False

    def is_inside(self, container: object) -> bool:
        """Return whether the walk is inside this container now."""
        return id(container) in self._around

    def __iter__(self) -> Iterator[object]:
        self._enter(self._root, texts=self._words is None)
        stack, steps, limit, atoms = self._stack, self.steps, self._limit, self._atoms
        while stack and self.nodes <= limit:
            pairs, node, texts = stack[-1]
            for step, child in pairs:
                self.nodes += 1
                if self.nodes > limit:
                    break
                kind = type(child)
                if id(kind) in atoms:
                    continue
                shown = texts or self._is_word(step)
                if kind is str and not (shown and self._has_hint(child)):
                    continue
                steps.append(step)
                if id(kind) not in self._unseen:
                    yield child
                if self.passes_by:
                    self.passes_by = False
                elif kind is not str and self._enter(child, shown):
                    break
                steps.pop()
            else:
                stack.pop()
                self._around.discard(id(node))
                if steps:
                    steps.pop()
        self.complete = self.complete and self.nodes <= limit

    def _has_hint(self, text: Any) -> bool:
        """Return whether a text has a word for which it is visited."""
        for word in self._hints:  # noqa: SIM110 - a generator is slower
            if word in text:
                return True
        return False

    def _is_word(self, step: object) -> bool:
        """Return whether texts below this step are visited."""
        name: object = step[1] if type(step) is tuple else step
        return name in self._words  # type: ignore[operator]

    def _enter(self, node: object, texts: bool) -> bool:
        """Begin to read a container; return whether there is anything to read."""
        if id(node) in self._entered:
            return False
        try:
            pairs = self._pairs(node, type(node), texts)
        except RuntimeError:
            self.complete = False
            return False
        if pairs is None:
            return False
        self._entered.add(id(node))
        self._around.add(id(node))
        self._stack.append((iter(pairs), node, texts))
        return True

    def _pairs(self, node: Any, kind: type, texts: bool) -> Pairs | None:
        """Return what a container holds; ``None`` if there is nothing to visit."""
        if self._opener is not None:
            return self._opener(node, kind)
        if kind is list or kind is tuple or kind is dict:
            try:
                if len(node) > _FEW and self._is_plain(node, kind, texts):
                    self.nodes += len(node)
                    return None
                if kind is not dict:
                    return enumerate([*node])
                if _has_names_only(node):
                    return [*node.items()]
            except RuntimeError:  # changed by another thread
                pass
        return opened(node, kind)

    def _is_plain(self, node: Any, kind: type, texts: bool) -> bool:
        """Return whether a built-in container has nothing to visit."""
        skipped = ATOMS if texts else PLAIN
        if kind is not dict:
            return are_only(skipped, node)
        return (
            are_only(PLAIN, node)
            and are_only(skipped, node.values())
            and (texts or self._words.isdisjoint(node))  # type: ignore[union-attr]
        )


def _has_names_only(node: dict[Any, Any]) -> bool:
    """Return whether all keys are texts."""
    for key in node:  # noqa: SIM110 - a generator is slower
        if type(key) is not str:
            return False
    return True
