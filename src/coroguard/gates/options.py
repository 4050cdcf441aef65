"""What can be typed after `coroguard gate`?"""

# No `annotations` future here: typer reads the options from evaluated annotations.
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    import typer

__all__ = ["register"]


def register(app: "typer.Typer", run: Callable[..., None]) -> None:
    """Add the command to an app.

    Args:
        app: The app.
        run: Imports what does the work, calls it and leaves with its exit code.
    """
    import typer

    def gate(
        category: Annotated[
            list[str] | None,
            typer.Option(
                help="Only gates of this category: unit, integration, critical."
            ),
        ] = None,
        pattern: Annotated[
            list[str] | None,
            typer.Option(help="Only gates that this glob fits: name, file, node id."),
        ] = None,
        real_services: Annotated[
            bool,
            typer.Option("--real-services", help="Demand that each service is real."),
        ] = False,
        fail_fast: Annotated[
            bool,
            typer.Option(
                "--fail-fast", help="End with the first gate that is not green."
            ),
        ] = False,
        self_test: Annotated[
            bool,
            typer.Option(
                "--self-test", help="Plant faults; each gate has to turn red."
            ),
        ] = False,
        json: Annotated[
            Path | None, typer.Option(help="Write the readiness as JSON here.")
        ] = None,
        junit: Annotated[
            Path | None, typer.Option(help="Write it as JUnit XML here.")
        ] = None,
        markdown: Annotated[
            Path | None, typer.Option(help="Write it as Markdown here.")
        ] = None,
    ) -> None:
        """Run the deployment gates; leave with 0 only if each is positively green."""
        run(
            "coroguard.gates.command:gate",
            extra="gate",
            categories=category or (),
            patterns=pattern or (),
            real_services=real_services,
            fail_fast=fail_fast,
            self_test=self_test,
            json=json,
            junit=junit,
            markdown=markdown,
        )

    app.command()(gate)
