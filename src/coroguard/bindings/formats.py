"""Findings as text, JSON, SARIF and workflow commands."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._inspect.texts import escape_command
from .._version import __version__
from .rules import RULES, rule_id

if TYPE_CHECKING:
    from .findings import Finding

FORMATS = ("text", "json", "sarif", "github")

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?:, (?P<what>.*))?", re.DOTALL)
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(
    findings: Sequence[Finding], *, failed: Mapping[str, str], modules: int
) -> str:
    """Return findings as one JSON object.

    Args:
        findings: The findings.
        failed: The modules that could not be imported, each with the reason.
        modules: How many modules were read.
    """
    body = {
        "version": __version__,
        "modules": modules,
        "failed": dict(failed),
        "findings": [
            {
                "rule": rule_id(it.kind),
                "name": it.name,
                "headline": it.headline,
                "first": _place(it.first),
                "second": _place(it.second),
                "advice": it.advice,
            }
            for it in findings
        ],
    }
    return json.dumps(body, indent=2)


def as_sarif(findings: Sequence[Finding]) -> str:
    """Return findings as SARIF. Source: OASIS SARIF 2.1.0, section 3."""
    rules = [
        {
            "id": rule_id(kind),
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": rule.reason},
            "help": {"text": f"wrong: {rule.wrong}\nright: {rule.right}"},
        }
        for kind, rule in RULES.items()
    ]
    results = [
        {
            "ruleId": rule_id(it.kind),
            "level": "error",
            "message": {"text": f"{it.headline}\nfix: {it.advice}"},
            "locations": [_location(it.first)],
            "relatedLocations": [_location(it.second)] if it.second else [],
            "partialFingerprints": {"coroguard/v1": f"{rule_id(it.kind)}/{it.name}"},
        }
        for it in findings
    ]
    driver = {"name": "coroguard", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"version": "2.1.0", "$schema": _SARIF, "runs": [run]}, indent=2)


def as_github(findings: Sequence[Finding]) -> list[str]:
    """Return findings as workflow commands that annotate the lines of a change."""
    found: list[str] = []
    for it in findings:
        place = _place(it.first)
        where = f"file={escape_command(str(place['file']), ',:')},line={place['line']}"
        title = f"title=coroguard {rule_id(it.kind)}"
        found.append(f"::error {where},{title}::{escape_command(str(it))}")
    return found


def _place(text: str) -> dict[str, Any]:
    """Return a place such as ``app/health.py:7, check()`` in its parts."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return {"file": "", "line": 0, "what": text}
    return {**match.groupdict(default=""), "line": int(match["line"])}


def _location(text: str) -> dict[str, Any]:
    place = _place(text)
    uri = str(place["file"]).replace("\\", "/")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": max(place["line"], 1)},
        },
        "message": {"text": place["what"]},
    }
