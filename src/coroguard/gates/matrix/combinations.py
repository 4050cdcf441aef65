"""Cells that cover every pair of settings, and the settings that cells share."""

# A cell is the position of its value on each axis, a setting one such (axis, value).
# A library was looked at: allpairspy's last release is of 2023, and it cannot add
# cells to those that ran, which is how a cause is found.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from math import prod
from random import Random
from typing import TypeAlias

Cell: TypeAlias = tuple[int, ...]
Settings: TypeAlias = frozenset[tuple[int, int]]

_MOST_LOOKED_AT = 20_000


def settings_of(cell: Sequence[int]) -> Settings:
    """Return the settings of a cell."""
    return frozenset(enumerate(cell))


def every_cell(
    sizes: Sequence[int], excluded: Iterable[Settings] = ()
) -> Iterator[Cell]:
    """Yield each combination that is not excluded, the base cell first."""
    forbidden = list(excluded)
    for cell in product(*map(range, sizes)):
        settings = settings_of(cell)
        if not any(each <= settings for each in forbidden):
            yield cell


def pairwise(sizes: Sequence[int], excluded: Iterable[Settings] = ()) -> list[Cell]:
    """Return cells in which each pair of settings is together at least once.

    The first is the base cell, of the first value of each axis. Pairs that no cell
    can have, because of what is excluded, are left out.

    Args:
        sizes: How many values each axis has.
        excluded: Settings that no cell has together.
    """
    forbidden = list(excluded)
    strength = min(2, len(sizes))
    open_pairs = {
        pair
        for axes in combinations(range(len(sizes)), strength)
        for values in product(*(range(sizes[axis]) for axis in axes))
        for pair in [frozenset(zip(axes, values, strict=True))]
    }
    cells: list[Cell] = []
    cell = next(every_cell(sizes, forbidden), None)
    while cell is not None:
        cells.append(cell)
        covered = combinations(sorted(settings_of(cell)), strength)
        open_pairs.difference_update(map(frozenset, covered))
        cell = None
        while open_pairs and cell is None:
            wanted = min(open_pairs, key=sorted)
            cell = _completed(dict(wanted), sizes, forbidden, open_pairs, strength)
            open_pairs.discard(wanted)  # one that fits no cell would stay for ever
    return cells


def _completed(
    fixed: dict[int, int],
    sizes: Sequence[int],
    forbidden: Sequence[Settings],
    open_pairs: set[Settings],
    strength: int,
) -> Cell | None:
    """Return an allowed cell with these settings that covers many open pairs."""
    settings = frozenset(fixed.items())
    if any(each <= settings for each in forbidden):
        return None
    free = next((axis for axis in range(len(sizes)) if axis not in fixed), None)
    if free is None:
        return tuple(fixed[axis] for axis in range(len(sizes)))

    def gain(value: int) -> int:
        others = combinations(settings, strength - 1)
        return sum(frozenset({*it, (free, value)}) in open_pairs for it in others)

    for value in sorted(range(sizes[free]), key=gain, reverse=True):
        more = {**fixed, free: value}
        found = _completed(more, sizes, forbidden, open_pairs, strength)
        if found is not None:
            return found
    return None


def causes(red: Sequence[Cell], green: Sequence[Cell]) -> list[list[Settings]]:
    """Return the smallest settings that red cells have and no green cell has.

    Returns:
        One group for each cause, in it all settings that fit equally well; one
        group means that all red cells agree. Empty settings fit every cell.
    """
    right = [settings_of(cell) for cell in green]
    left = [settings_of(cell) for cell in red]
    groups: list[list[Settings]] = []
    while left:
        fitting = {
            settings
            for cell in left
            for size in range(len(cell) + 1)
            for settings in map(frozenset, combinations(sorted(cell), size))
            if not any(settings <= each for each in right)
        }
        if not fitting:  # a cell that is red and green
            return groups

        def rank(settings: Settings, left: list[Settings] = left) -> tuple[int, int]:
            return -sum(settings <= cell for cell in left), len(settings)

        best = min(map(rank, fitting))
        group = sorted((it for it in fitting if rank(it) == best), key=sorted)
        groups.append(group)
        left = [cell for cell in left if not any(it <= cell for it in group)]
    return groups


def next_cell(
    groups: Sequence[Sequence[Settings]],
    ran: Sequence[Cell],
    red: Sequence[Cell],
    sizes: Sequence[int],
    excluded: Iterable[Settings] = (),
) -> Cell | None:
    """Return the cell that distinguishes most between possible causes, if there is one.

    Where settings of a group fit equally well, it is one that has about half of
    them; else one that confirms a cause that only one red cell speaks for.
    """
    unknown = [cell for cell in _some_cells(sizes, excluded) if cell not in {*ran}]
    for group in groups:
        scored = [
            (score, cell)
            for cell in unknown
            if (score := _score(settings_of(cell), group, red)) is not None
        ]
        if scored:
            return min(scored)[1]
    return None


def _score(
    cell: Settings, group: Sequence[Settings], red: Sequence[Cell]
) -> int | None:
    """Rate how well a cell distinguishes within a group, 0 best; None if not at all."""
    has = sum(settings <= cell for settings in group)
    if len(group) > 1:
        return abs(2 * has - len(group)) if 0 < has < len(group) else None
    seen = [each for each in map(settings_of, red) if group[0] <= each]
    return len(cell & seen[0]) if has and len(seen) == 1 else None


def _some_cells(sizes: Sequence[int], excluded: Iterable[Settings]) -> list[Cell]:
    """Return every cell, or many of them where there are very many."""
    if prod(sizes) <= _MOST_LOOKED_AT:
        return list(every_cell(sizes, excluded))
    forbidden = list(excluded)
    chance = Random(0)
    drawn = {
        tuple(chance.randrange(size) for size in sizes) for _ in range(_MOST_LOOKED_AT)
    }
    return sorted(
        cell
        for cell in drawn
        if not any(each <= settings_of(cell) for each in forbidden)
    )
