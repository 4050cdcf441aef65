"""Commands whose arguments typer alone would not read right."""

from __future__ import annotations

import importlib
from typing import Any

import typer
import typer.core

#: The key under which a context keeps the program of `coroguard run`.
PROGRAM = "coroguard.program"


class GateCommand(typer.core.TyperCommand):
    """A command whose wrong options leave no readiness of an earlier run behind."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # The only option whose value may be left out.
        args = ["--matrix=as configured" if it == "--matrix" else it for it in args]
        try:
            return super().parse_args(ctx, list(args))
        except typer.Exit:  # --help
            raise
        except Exception:
            importlib.import_module("coroguard.gates.stale").remove_named(args)
            raise


class ProgramCommand(typer.core.TyperCommand):
    """A command that keeps everything after ``--`` as it is, options included."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[PROGRAM] = args[end + 1 :]
        # Without `--`, the command itself names the options that are misplaced.
        ctx.ignore_unknown_options = end == len(args)
        return super().parse_args(ctx, args[:end])
