"""What can be typed after `coroguard run`?"""

# No `annotations` future here: typer reads the options from evaluated annotations.
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    import typer

__all__ = ["register"]

_PROGRAM = "coroguard.program"


def register(app: "typer.Typer", run: Callable[..., None]) -> None:
    """Add the command to an app.

    Args:
        app: The app.
        run: Imports what does the work, calls it and leaves with its exit code.
    """
    import typer
    import typer.core

    class Command(typer.core.TyperCommand):
        """A command that keeps what stands after `--`, options too, as it is."""

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            end = args.index("--") if "--" in args else len(args)
            ctx.meta[_PROGRAM] = args[end + 1 :]
            # Without `--`, the program's options are none of ours to refuse.
            ctx.ignore_unknown_options = end == len(args)
            return super().parse_args(ctx, args[:end])

    def command(
        context: typer.Context,
        strict: Annotated[
            bool, typer.Option("--strict", help="Short for --mode strict.")
        ] = False,
        mode: Annotated[
            str | None,
            typer.Option(help="off, observe, enforce or strict."),
        ] = None,
        package: Annotated[
            list[str] | None,
            typer.Option(help="Check this package's annotations; needs strict mode."),
        ] = None,
    ) -> None:
        """Run a Python program or console script guarded, its children included."""
        run(
            "coroguard.strictness.command:run",
            extra="cli",
            strict=strict,
            mode=mode,
            packages=package or (),
            program=context.meta[_PROGRAM],
            before_dashes=context.args,
        )

    app.command(
        "run",
        cls=Command,
        options_metavar="[OPTIONS] -- PROGRAM [ARGS]...",
        context_settings={
            "allow_extra_args": True,
            "allow_interspersed_args": False,
        },
    )(command)
