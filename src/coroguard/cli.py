"""What can be typed after `coroguard`?"""

# No `annotations` future here: typer reads the options from evaluated annotations.
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    import typer

__all__ = ["main"]

_MISSING_EXTRA = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code.

    Args:
        argv: The arguments; `None` means those of the process.

    Returns:
        What the command returned; 2 for wrong arguments or a missing extra.
    """
    try:
        app = _build()
    except ModuleNotFoundError as missing:
        return _say_what_to_install("cli", missing)
    try:
        app(list(sys.argv[1:] if argv is None else argv), prog_name="coroguard")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _build() -> "typer.Typer":
    import typer

    from coroguard.bindings import options as names
    from coroguard.gates import options as gate
    from coroguard.strictness import options as run

    app = typer.Typer(
        help="The runtime guard against escaped coroutines in Python.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    # With a callback, a single command keeps its name.
    app.callback()(lambda: None)
    _register_demo(app)
    for options in (gate, names, run):
        options.register(app, _run)
    return app


def _register_demo(app: "typer.Typer") -> None:
    import typer

    def demo(
        serve: Annotated[
            bool,
            typer.Option("--serve", help="Keep a healthy service up until Ctrl-C."),
        ] = False,
    ) -> None:
        """Run a real chat service, its outage, and the guard that prevents it."""
        _run("coroguard.demo.command:demo", extra="demo", serve=serve)

    app.command()(demo)


def _run(target: str, *, extra: str, **options: object) -> None:
    """Import what does the work, now that it is needed, and leave with its exit code.

    Args:
        target: `module:function`, by name: what does the work may be a layer above.
        extra: The extra that its imports need.
        options: The function's arguments.
    """
    module, _, name = target.partition(":")
    try:
        work: Callable[..., int] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as missing:
        if (missing.name or "coroguard").partition(".")[0] == "coroguard":
            raise
        raise SystemExit(_say_what_to_install(extra, missing)) from None
    raise SystemExit(work(**options))


def _say_what_to_install(extra: str, missing: ModuleNotFoundError) -> int:
    sys.stderr.write(
        f"coroguard: {missing.name} is not installed; "
        f"type pip install 'coroguard[{extra}]'\n"
    )
    return _MISSING_EXTRA


if __name__ == "__main__":
    sys.exit(main())
