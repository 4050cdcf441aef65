"""Every command and option of `coroguard`."""

# No `annotations` future here: typer reads the options from evaluated annotations.
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ._arguments import PROGRAM, GateCommand, ProgramCommand
from ._runtime.status import status as status_of_process
from ._work import run_work

app = typer.Typer(
    help="The runtime guard against escaped coroutines in Python.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        argv: The arguments; ``None`` means those of the process.

    Returns:
        The exit code of the command; 2 for wrong arguments or a missing extra.
    """
    try:
        app(list(sys.argv[1:] if argv is None else argv), prog_name="coroguard")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@app.command()
def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep a healthy service up until Ctrl-C.")
    ] = False,
) -> None:
    """Run a real chat service, its outage, and the guard that prevents it."""
    run_work("coroguard.demo.command:demo", extra="demo", serve=serve)


@app.command(cls=GateCommand)
def gate(
    category: Annotated[
        list[str] | None,
        typer.Option(help="Only gates of this category: unit, integration, critical."),
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(help="Only gates that this glob fits: name, file, node id."),
    ] = None,
    real_services: Annotated[
        bool, typer.Option("--real-services", help="Demand that each service is real.")
    ] = False,
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", help="End with the first gate that is not green."),
    ] = False,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Plant faults; each gate has to turn red."),
    ] = False,
    pin: Annotated[
        bool,
        typer.Option(
            "--pin", help="First write the list of expected tests, to be committed."
        ),
    ] = False,
    alert: Annotated[
        bool,
        typer.Option("--alert", help="Send an alert for each gate that blocks."),
    ] = False,
    matrix: Annotated[
        str,
        typer.Option(
            metavar="[=pairwise|full]",
            help=r"Run the gates in the cells of \[tool.coroguard.matrix].",
        ),
    ] = "",
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
    run_work("coroguard.gates.command:gate", extra="gate", **locals())


@app.command()
def audit(
    packages: Annotated[
        list[str] | None,
        typer.Argument(metavar="PACKAGE", help="Import names of packages."),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str, typer.Option(help="text, json, sarif or github.")
    ] = "text",
    baseline: Annotated[
        Path | None, typer.Option(help="A file of accepted findings.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Accept what is found now.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="Print what a rule means.")
    ] = None,
) -> None:
    """Import packages as deployed and report names whose colours collide."""
    if explain is not None:
        run_work("coroguard.bindings.command:explain", extra="cli", rule=explain)
    if not packages:
        raise typer.BadParameter("name at least one package", param_hint="PACKAGE")
    run_work(
        "coroguard.bindings.command:audit",
        extra="cli",
        packages=packages,
        format=format,
        baseline=baseline,
        update=write_baseline,
    )


@app.command()
def lock(
    packages: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PACKAGE",
            help="Import names of packages; those of the lock by default.",
        ),
    ] = None,
    libraries: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="LIBRARY",
            help="Lock what the packages use of this one, too; may be given again.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; fail where the code has drifted."),
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(help="The lock; coroguard.lock beside pyproject.toml by default."),
    ] = None,
) -> None:
    """Record the colour of each public function and the contracts of guards."""
    run_work("coroguard.bindings.command:lock", extra="cli", **locals())


@app.command()
def alerts(
    folder: Annotated[
        Path, typer.Argument(help="Where to write; made if it does not exist.")
    ],
) -> None:
    """Write alert rules for Prometheus, an Alertmanager example and a dashboard."""
    run_work("coroguard.alerts.command:alerts", extra="cli", folder=folder)


@app.command()
def monitor(
    path: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:CHECK",
            help="A function that returns a report, or checks by name.",
        ),
    ],
    every: Annotated[
        str, typer.Option(help="How often to check: 30s, 5m, 1h.")
    ] = "30s",
    once: Annotated[
        bool, typer.Option("--once", help="Check once; leave with 1 on a failure.")
    ] = False,
    deadline_s: Annotated[
        float, typer.Option(help="Seconds that each check may take.")
    ] = 0.8,
    port: Annotated[
        int | None, typer.Option(help="Serve metrics for Prometheus here.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to serve metrics on.")
    ] = "127.0.0.1",
    alert: Annotated[
        bool, typer.Option("--alert", help="Send alerts of what fails, and its end.")
    ] = False,
    lock: Annotated[
        Path | None,
        typer.Option(help="The lock; coroguard.lock beside pyproject.toml, if any."),
    ] = None,
    drift_every: Annotated[
        str, typer.Option(help="How often to compare the code with the lock.")
    ] = "10m",
) -> None:
    """Validate health and the lock on a schedule, with metrics and alerts."""
    run_work("coroguard.monitor.command:monitor", extra="cli", **locals())


@app.command(
    cls=ProgramCommand,
    options_metavar="[OPTIONS] -- PROGRAM [ARGS]...",
    context_settings={"allow_extra_args": True, "allow_interspersed_args": False},
)
def run(
    context: typer.Context,
    strict: Annotated[
        bool, typer.Option("--strict", help="Short for --mode strict.")
    ] = False,
    mode: Annotated[
        str | None, typer.Option(help="off, observe, enforce or strict.")
    ] = None,
    package: Annotated[
        list[str] | None,
        typer.Option(help="Check this package's annotations; needs strict mode."),
    ] = None,
    types: Annotated[
        bool,
        typer.Option(
            "--types", help="Raise where any value does not match its annotation."
        ),
    ] = False,
) -> None:
    """Run a Python program or console script guarded, its children included."""
    run_work(
        "coroguard.strictness.command:run",
        extra="cli",
        strict=strict,
        mode=mode,
        packages=package or (),
        types=types,
        program=context.meta[PROGRAM],
        before_dashes=context.args,
    )


@app.command()
def load(
    file: Annotated[
        str | None, typer.Argument(help="The load file, by default that of the gate.")
    ] = None,
    gate: Annotated[
        str | None, typer.Option(help="The gate whose criteria apply.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="The address of the service, http://...")
    ] = None,
    users: Annotated[int | None, typer.Option(help="How many users.")] = None,
    duration: Annotated[
        float | None, typer.Option(help="For how many seconds, with all users.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="How many processes make the load.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Wait for so many locust --worker from elsewhere."),
    ] = None,
    bind: Annotated[
        str, typer.Option(help="The address that these workers connect to.")
    ] = "0.0.0.0:5557",
    html: Annotated[
        str | None, typer.Option(help="Write the report with its plot here.")
    ] = None,
    json: Annotated[
        str | None, typer.Option(help="Write the report as JSON here.")
    ] = None,
) -> None:
    """Put a service under load; leave with 0 only if it meets all criteria."""
    run_work("coroguard.gates.load.command:load", extra="load", **locals())


@app.command()
def status() -> None:
    """Show the mode that applies here, its source, and what cannot be seen."""
    sys.stdout.write(f"{status_of_process()}\n")


if __name__ == "__main__":
    sys.exit(main())
