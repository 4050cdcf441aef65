"""The files of a report: HTML with the plot, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from coroguard._files import write_whole

from .. import stale
from ..output import clean
from .page import as_html

if TYPE_CHECKING:
    from pathlib import Path

    from ..redact import Redactor
    from ..verdict import Judgement
    from .config import LoadConfig
    from .report import LoadReport


def named(config: LoadConfig, root: Path) -> Iterator[Path]:
    """Yield the files that a configuration names."""
    for name in (config.report_html, config.report_json):
        if name:
            yield root / name


def remove_old(config: LoadConfig, root: Path) -> None:
    """Remove the files of an earlier run, which must not be taken for this run's.

    Raises:
        OSError: It cannot be removed.
    """
    stale.remove(named(config, root))


def write(
    report: LoadReport,
    judgement: Judgement,
    config: LoadConfig,
    root: Path,
    redact: Redactor,
) -> None:
    """Write the files that are configured, each whole or not at all.

    Raises:
        OSError: One could not be written.
    """
    if config.report_html:
        page = as_html(report, judgement)
        write_whole(root / config.report_html, redact(page))
    if config.report_json:
        data = report.to_json() | {
            "verdict": judgement.verdict,
            "reasons": list(judgement.reasons),
        }
        text = json.dumps(data, indent=2, allow_nan=False)
        write_whole(root / config.report_json, redact(clean(text)) + "\n")
