"""The story on a terminal, or in a file."""

from __future__ import annotations

import io
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from coroguard.demo.story.claims import StepResult

_FILE_WIDTH = 120


class Screen:
    """The story's output; on a terminal with colours and a moving progress bar."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._is_ascii = not self._console.encoding.startswith("utf")
        if not self._console.is_terminal:
            self._console.width = _FILE_WIDTH
        if isinstance(self._console.file, io.TextIOWrapper):
            # What a service prints may have letters that this terminal lacks.
            self._console.file.reconfigure(errors="replace")

    @contextmanager
    def progress(self, steps: int) -> Generator[Progress, None, None]:
        """Show a bar below the output while the block runs; it leaves no trace."""
        columns = (
            SpinnerColumn("line" if self._is_ascii else "dots"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            Elapsed(),
        )
        # In a file a bar is only noise.
        hidden = not self._console.is_terminal
        with Progress(
            *columns, console=self._console, transient=True, disable=hidden
        ) as bar:
            bar.add_task("starting", total=steps)
            yield bar

    def line(self, text: str = "", style: str = "") -> None:
        """Show one line, which a terminal may break anywhere: it can be copied."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def title(self, number: int, of: int, text: str) -> None:
        """Show a step's headline."""
        self.line()
        self._wrapped(f"{number}/{of}  ", text, style="bold")

    def note(self, text: str) -> None:
        """Show a line of a step."""
        self._wrapped("     ", text)

    def quote(self, source: str, text: str) -> None:
        """Show text that a service or a client really produced."""
        self._wrapped("     ", f"{source}:", style="dim")
        for row in text.splitlines():
            self._wrapped("     | ", row, margin="     | ")

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

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a small table."""
        table = Table(*head, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(*row)
        self._console.print(Padding(table, (0, 0, 0, 5)))

    def claims(self, result: StepResult) -> None:
        """Show what a step claimed and whether it happened."""
        for claim in result.claims:
            held, failed = ("+", "!") if self._is_ascii else ("✓", "✗")
            mark, style = (held, "green") if claim.held else (failed, "bold red")
            seen = "" if claim.held else f": {claim.seen}"
            self._wrapped(f"   {mark} ", f"{claim.text}{seen}", style=style)
