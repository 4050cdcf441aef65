"""Findings that a project has accepted, kept in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._files import write_whole
from .rules import rule_id, usage_error

if TYPE_CHECKING:
    from .findings import Finding

#: The rule, the name, and what is at the first place, without its line.
Key = tuple[str, str, str]
Accepted = frozenset[Key]
_FORMAT = 1


def read_baseline(file: Path) -> Accepted:
    """Return the accepted findings.

    Raises:
        GuardUsageError: There is no such file, or it is not a baseline.
    """
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != _FORMAT:
            raise ValueError(f"its format is not {_FORMAT}")
        return frozenset(
            (str(it["rule"]), str(it["name"]), str(it["at"]))
            for it in found["accepted"]
        )
    except FileNotFoundError:
        raise usage_error(
            f"there is no baseline {file}; add --write-baseline to write it"
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise usage_error(
            f"{file} is not a baseline ({error}); add --write-baseline to write it anew"
        ) from None


def write_baseline(file: Path, findings: Iterable[Finding]) -> int:
    """Accept findings from now on; return how many those are.

    Raises:
        OSError: It could not be written.
    """
    accepted = sorted(set(map(_key, findings)))
    entries = [{"rule": rule, "name": name, "at": at} for rule, name, at in accepted]
    body = {"format": _FORMAT, "accepted": entries}
    write_whole(file, json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    return len(accepted)


def is_accepted(finding: Finding, accepted: Accepted) -> bool:
    """Return whether a baseline accepts a finding."""
    return _key(finding) in accepted


def _key(finding: Finding) -> Key:
    what = finding.first.partition(", ")[2]
    return rule_id(finding.kind), finding.name, what
