"""How is the story shown on a terminal, and in a file?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from coroguard.demo.story.claims import StepResult

__all__ = ["Screen"]

_FILE_WIDTH = 120


class Screen:
    """The story's output; on a terminal with colours and a moving progress bar."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = _FILE_WIDTH

    @contextmanager
    def progress(self, steps: int) -> Generator[Progress, None, None]:
        """Show a bar below the output while the block runs; it leaves no trace."""
        columns = (
            SpinnerColumn(),
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
        """Show one line."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def title(self, number: int, of: int, text: str) -> None:
        """Show a step's headline."""
        self.line()
        self.line(f"{number}/{of}  {text}", style="bold")

    def note(self, text: str) -> None:
        """Show a line of a step."""
        self.line(f"     {text}")

    def quote(self, source: str, text: str) -> None:
        """Show text that a service or a client really produced."""
        if not self._console.is_terminal:
            self.line(f"     {source}:")
            for row in text.splitlines():
                self.line(f"     | {row}")
            return
        body = Text(text, overflow="fold")
        panel = Panel(body, title=source, title_align="left", border_style="dim")
        self._console.print(Padding(panel, (0, 0, 0, 5)))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a small table."""
        table = Table(*head, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(*row)
        self._console.print(Padding(table, (0, 0, 0, 5)))

    def claims(self, result: StepResult) -> None:
        """Show what a step claimed and whether it happened."""
        for claim in result.claims:
            mark, style = ("✓", "green") if claim.held else ("✗", "bold red")
            seen = "" if claim.held else f": {claim.seen}"
            self.line(f"   {mark} {claim.text}{seen}", style=style)
