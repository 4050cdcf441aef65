"""Changes since a lock was written, and the callers that they break."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..._inspect.callables import reaches_guard
from ..._inspect.colours import Colour, is_surely_plain, plain_function
from ..._leaks.leak import labelled_lines
from ..._leaks.origins import place
from ..findings import FindingKind
from .callers import callers_of
from .record import UNDECIDED, colour_word, contract_of, lock_of
from .schemas import contract_name
from .surface import look_up

if TYPE_CHECKING:
    from ..modules import Loaded
    from .record import Lock

_MOST_CALLERS = 10
_INDENT = "\n" + " " * 12
_MEND: dict[str, str] = {
    Colour.ASYNC: "await each call of it, or make it sync again",
    Colour.SYNC: "take each await of it away, or make it async again",
    UNDECIDED: "give the wrapper the colour of what it wraps",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is no longer as its callers knew it; strings only.

    Args:
        kind: A colour or a contract.
        names: The names of it, as ``module:qualified.name``; of a
            schema, the functions that are guarded with it.
        headline: Who and what, in one line.
        was: What the lock has.
        now: What the code has, and where.
        mend: How to mend it, if it was not meant.
        callers: Who calls it, a line each.
        others: What the names after the first are, in a word.
    """

    kind: FindingKind
    names: tuple[str, ...]
    headline: str
    was: str
    now: str
    mend: str
    callers: tuple[str, ...] = ()
    others: str = "also"

    def text(self, command: str) -> str:
        """Return the difference as text; its last line has the command to accept it."""
        shown = list(self.callers[:_MOST_CALLERS])
        more = len(self.callers) - len(shown)
        shown += [f"and {more} more"] if more else []
        return labelled_lines(
            self.headline,
            was=self.was,
            now=self.now,
            **{self.others: _INDENT.join(self.names[1:])},
            callers=_INDENT.join(shown),
            fix=f"{self.mend}; if it is meant, run {command}",
        )


@dataclass(slots=True)
class Drift:
    """A difference from the lock.

    Args:
        changes: What breaks callers, until it is mended or the lock renewed.
        notes: What is only named: new and gone functions, new guards, and
            colours that are no longer known.
    """

    changes: list[Change] = field(default_factory=list[Change])
    notes: list[str] = field(default_factory=list[str])


def drift_of(
    locked: Lock, packages: Sequence[Loaded], libraries: Sequence[Loaded] = ()
) -> Drift:
    """Compare a lock with its packages as they were imported now.

    A name is followed as a caller follows it: through imports, and to the bases
    of a class. What failed to be imported is neither gone nor changed.

    Args:
        locked: The lock.
        packages: Those that it names, or some of them.
        libraries: Those of others that it names.
    """
    every = [*packages, *libraries]
    modules = {name: it for package in every for name, it in package.modules.items()}
    failed = {name for package in every for name in package.failed}
    names = [name for name in locked.colours if _is_asked(name, every, failed)]
    found = {name: look_up(name, modules) for name in names}
    now = lock_of(packages)
    drift = Drift()
    _compare_colours(locked, found, drift)
    _compare_contracts(locked, found, drift)
    _compare_schemas(locked, now, found, drift)
    new = [name for name in now.colours if name not in locked.colours]
    drift.notes += [f"new: {name}, {now.colours[name]}" for name in new]
    drift.changes = list(_with_callers(drift.changes, found, modules))
    return drift


def _is_asked(name: str, packages: Sequence[Loaded], failed: set[str]) -> bool:
    """Return whether a name's module is in these packages, and could be imported."""
    module = name.partition(":")[0]
    above = {module[: len(it)] for it in failed if f"{module}.".startswith(f"{it}.")}
    roots = (package.name for package in packages)
    return not above and any(f"{module}.".startswith(f"{it}.") for it in roots)


def _compare_colours(locked: Lock, found: dict[str, Any], drift: Drift) -> None:
    changed: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, target in found.items():
        was, now = locked.colours[name], colour_word(target)
        if target is None:
            contract = locked.contracts.get(name)
            guarded = f", guarded, {contract}" if contract else ""
            drift.notes.append(f"gone: {name}, {was}{guarded}")
        elif was in (now, UNDECIDED):
            continue
        elif _breaks(was, now, target):
            changed[was, now, _place(target)].append(name)
        else:
            drift.notes.append(f"no longer sure: {name}, was {was}, {_now(target)}")
    for (was, now, _), names in changed.items():
        drift.changes.append(
            Change(
                kind=FindingKind.COLOUR_CHANGED,
                names=tuple(names),
                headline=f"{names[0]} was {was} and is {now} now",
                was=was,
                now=_now(found[names[0]]),
                mend=_MEND.get(now, "change what its callers do with it"),
            )
        )


def _breaks(was: str, now: str, target: Any) -> bool:
    """Return whether callers that were right for one colour are wrong for the next.

    Not so for a class, of a function that promises to suit both kinds of
    callers, and of one that merely promises it no more.
    """
    if now == UNDECIDED:  # a wrapper of another colour than what it wraps
        return plain_function(target) is not None
    if now == Colour.EITHER:
        return False
    was_either = was == Colour.EITHER
    return not (was_either and now == Colour.SYNC and not is_surely_plain(target))


def _compare_contracts(locked: Lock, found: dict[str, Any], drift: Drift) -> None:
    for name, target in found.items():
        contract = contract_of(target)
        was = locked.contracts.get(name)
        now = None if contract is None else contract_name(contract)
        if target is None or was == now or (now is None and reaches_guard(target)):
            continue
        if was is None:
            drift.notes.append(f"guarded now: {name}, {now}")
            continue
        lost = now is None
        drift.changes.append(
            Change(
                kind=FindingKind.CONTRACT_CHANGED,
                names=(name,),
                headline=f"{name} has {'no guard' if lost else 'another contract'} now",
                was=f"guarded, {was}",
                now=f"{'not guarded' if lost else f'guarded, {now}'}, {_place(target)}",
                mend="put @guard back on it" if lost else f"make it {was} again",
            )
        )


def _compare_schemas(
    locked: Lock, now: Lock, found: dict[str, Any], drift: Drift
) -> None:
    both = {*locked.contracts.values()} & {*now.contracts.values()}
    for contract in sorted(both):
        old, new = locked.schemas.get(contract, {}), now.schemas.get(contract, {})
        paths = [it for it in sorted({*old, *new}) if old.get(it) != new.get(it)]
        names = [name for name in found if now.contracts.get(name) == contract]
        if not paths or not names:
            continue
        drift.changes.append(
            Change(
                kind=FindingKind.CONTRACT_CHANGED,
                names=(contract, *names),
                headline=f"the contract {contract} demands something else now",
                was=_INDENT.join(f"{it}: {old.get(it, '-')}" for it in paths),
                now=_INDENT.join(f"{it}: {new.get(it, '-')}" for it in paths),
                mend="make it what it was",
                others="guards",
            )
        )


def _with_callers(
    changes: list[Change], found: dict[str, Any], modules: dict[str, ModuleType]
) -> Iterator[Change]:
    wanted = {it for change in changes for it in change.names if it in found}
    if not wanted:
        yield from changes
        return
    callers = callers_of({it: found[it] for it in wanted}, modules.values())
    for change in changes:
        lines = [line for it in change.names for line in callers.get(it, ())]
        yield replace(change, callers=tuple(dict.fromkeys(lines)))


def _now(target: Any) -> str:
    where = _place(target)
    return f"{colour_word(target)}, {where}" if where else colour_word(target)


def _place(target: Any) -> str:
    function = plain_function(target)
    if function is None:
        return f"a {type(target).__name__}"
    return place(function.__code__.co_filename, function.__code__.co_firstlineno)
