"""What can be typed after `coroguard audit` and `coroguard lock`?"""

# No `annotations` future here: typer reads the options from evaluated annotations.
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    import typer

__all__ = ["register"]


def register(app: "typer.Typer", run: Callable[..., None]) -> None:
    """Add the commands to an app.

    Args:
        app: The app.
        run: Imports what does the work, calls it and leaves with its exit code.
    """
    import typer

    def audit(
        packages: Annotated[
            list[str],
            typer.Argument(metavar="PACKAGE", help="Packages, as one imports them."),
        ],
    ) -> None:
        """Import packages as deployed; name what collides in colour."""
        run("coroguard.bindings.command:audit", extra="cli", packages=packages)

    def lock(
        packages: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="PACKAGE",
                help="Packages, as one imports them; those of the lock by default.",
            ),
        ] = None,
        check: Annotated[
            bool,
            typer.Option(
                "--check", help="Write nothing; fail where the code has drifted."
            ),
        ] = False,
        file: Annotated[
            Path | None,
            typer.Option(
                help="The lock; coroguard.lock beside pyproject.toml by default."
            ),
        ] = None,
    ) -> None:
        """Write down the colour of each public function and what guards expect."""
        run(
            "coroguard.bindings.command:lock",
            extra="cli",
            packages=packages or (),
            check=check,
            file=file,
        )

    app.command()(audit)
    app.command()(lock)
