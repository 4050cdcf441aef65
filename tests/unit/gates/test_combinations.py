"""Cells that cover every pair, and the smallest settings that red cells share."""

from __future__ import annotations

from itertools import combinations, product
from random import Random

import pytest

from coroguard.gates.matrix.combinations import (
    causes,
    every_cell,
    next_cell,
    pairwise,
    settings_of,
)

SIZES = ([1], [3], [2, 2], [5, 4], [2, 2, 2, 2], [3, 1, 2], [4, 3, 3, 2, 2])


def pairs(cells, sizes):
    strength = min(2, len(sizes))
    return {
        frozenset(pair)
        for cell in cells
        for pair in combinations(enumerate(cell), strength)
    }


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_pair_is_in_a_cell(sizes):
    """Each two settings are together in a cell, and the base cell is the first."""
    cells = pairwise(sizes)
    assert pairs(cells, sizes) == pairs(product(*map(range, sizes)), sizes)
    assert cells[0] == (0,) * len(sizes)


def test_few_cells_for_many_axes():
    """Ten axes of two values need fewer cells than 2 % of all combinations."""
    assert len(pairwise([2] * 10)) <= 20


def test_what_is_excluded_is_in_no_cell():
    """Excluded settings are never together; every other pair still is."""
    excluded = [frozenset({(0, 1), (1, 1)}), frozenset({(2, 2)})]
    cells = pairwise([2, 2, 3], excluded)
    allowed = list(every_cell([2, 2, 3], excluded))
    assert not any(bad <= settings_of(cell) for bad in excluded for cell in cells)
    assert pairs(cells, [2, 2, 3]) == pairs(allowed, [2, 2, 3])


def test_an_excluded_base_cell():
    """Where the base cell is excluded, another one begins."""
    assert pairwise([2], [frozenset({(0, 0)})]) == [(1,)]
    assert pairwise([1], [frozenset({(0, 0)})]) == []


def found(sizes, is_red):
    """Run a matrix in which cells are red by a rule, as the sweep does."""
    cells = pairwise(sizes)
    while True:
        red = [cell for cell in cells if is_red(settings_of(cell))]
        groups = causes(red, [cell for cell in cells if cell not in red])
        cell = next_cell(groups, cells, red, sizes)
        if cell is None:
            return groups, len(cells)
        cells.append(cell)


@pytest.mark.parametrize("seed", range(20))
def test_the_settings_that_fail_are_found(seed):
    """One or two settings that make a cell red are named, and no others."""
    chance = Random(seed)
    sizes = [chance.randint(2, 3) for _ in range(chance.randint(2, 6))]
    axes = chance.sample(range(len(sizes)), chance.randint(1, 2))
    planted = frozenset((axis, chance.randrange(sizes[axis])) for axis in axes)
    groups, ran = found(sizes, lambda settings: planted <= settings)
    assert groups == [[planted]]
    assert ran <= len(pairwise(sizes)) + 6


def test_three_settings_that_look_like_two():
    """A cause of three settings is not mistaken for two of them."""
    planted = frozenset({(0, 1), (1, 1), (2, 1)})
    groups, _ = found([2, 2, 2, 2], lambda settings: planted <= settings)
    assert groups in ([], [[planted]])


def test_two_causes():
    """Two independent causes are two groups, each with its own setting."""
    one, other = frozenset({(0, 1)}), frozenset({(2, 1)})
    groups, _ = found([2, 2, 3], lambda it: one <= it or other <= it)
    assert sorted(groups, key=str) == sorted([[one], [other]], key=str)


def test_every_cell_is_red():
    """Where no cell is green the cause is in no setting."""
    assert causes([(0, 0), (1, 1)], []) == [[frozenset()]]


def test_no_cell_is_red():
    """Where no cell is red there is no cause."""
    assert causes([], [(0, 0)]) == []
