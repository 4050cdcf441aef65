"""The demonstration's output, on a terminal or in a file."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from coroguard.demo.story.evidence import Claim

_FILE_WIDTH = 120


class Screen:
    """A terminal with colours and a moving progress bar, or a file without them.

    Attributes:
        progress: A bar below the output; a context manager that leaves no trace.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._is_ascii = not self._console.encoding.startswith("utf")
        if not self._console.is_terminal:
            self._console.width = _FILE_WIDTH
        if isinstance(self._console.file, io.TextIOWrapper):
            # Output of a service may have letters that this terminal lacks.
            self._console.file.reconfigure(errors="replace")
        self.progress = Progress(
            SpinnerColumn("line" if self._is_ascii else "dots"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            Elapsed(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,  # in a file it is only noise
        )
        self._task = self.progress.add_task("starting", total=1)

    def line(self, text: str = "", style: str = "") -> None:
        """Show one line, which a terminal may break anywhere: it can be copied."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def title(self, number: int, of: int, text: str) -> None:
        """Show a step's headline."""
        self.progress.update(
            self._task, description=text, completed=number - 1, total=of
        )
        self.line()
        self._wrapped(f"{number}/{of}  ", text, style="bold")

    def note(self, text: str) -> None:
        """Show a line of a step."""
        self._wrapped("     ", text)

    def quote(self, source: str, text: str) -> None:
        """Show real output of a service or a client."""
        self._wrapped("     ", f"{source}:", style="dim")
        for row in text.splitlines():
            self._wrapped("     | ", row, margin="     | ")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a small table."""
        table = Table(*head, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(*row)
        self._console.print(Padding(table, (0, 0, 0, 5)))

    def claims(self, claims: Sequence[Claim]) -> None:
        """Show the claims of a step, and whether each is true."""
        held, failed = ("+", "!") if self._is_ascii else ("✓", "✗")
        for claim in claims:
            if claim.held:
                self._wrapped(f"   {held} ", claim.text, style="green")
            else:
                text = f"{claim.text}: {claim.seen}"
                self._wrapped(f"   {failed} ", text, style="bold red")

    def _wrapped(
        self, before: str, text: str, *, margin: str = "", style: str = ""
    ) -> None:
        """Show text broken between words on a terminal, and whole in a file."""
        rows = [text]
        if self._console.is_terminal:
            hang = " " * (len(text) - len(text.lstrip()) + 2) if margin else ""
            rows = textwrap.wrap(
                text,
                max(self._console.width - len(before), 20),
                subsequent_indent=hang,
                break_long_words=False,
                break_on_hyphens=False,
            )
        for row in rows or [""]:
            self.line(before + row, style=style)
            before = margin or " " * len(before)
