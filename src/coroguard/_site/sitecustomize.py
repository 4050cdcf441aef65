"""The start of each Python under `coroguard run`, and of those that gates start."""

# Python imports this by its name, from the first folder on PYTHONPATH. Any
# interpreter may, also one without coroguard: it then goes unwatched.

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import pathlib
import sys
from typing import NoReturn


def _run_next() -> None:
    """Run the `sitecustomize` that this one hides."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = [folder for folder in sys.path if os.path.abspath(folder) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _guard() -> None:
    """Put mode, strict packages and guards by path in place."""
    try:
        importlib.import_module("coroguard")
        bindings = importlib.import_module("coroguard.bindings")
    except ImportError as error:
        _go_without(error)
        return
    except TypeError as error:  # what GuardUsageError is
        _refuse(str(error))
    try:
        root = os.environ.get("COROGUARD_ROOT")
        bindings.protect_configured(pathlib.Path(root) if root else None)
    except TypeError as error:
        _refuse(str(error))


def _go_without(error: ImportError) -> None:
    """Refuse a program that cannot be guarded; of a child only write a line."""
    text = f"{sys.executable} cannot import coroguard ({error})"
    if os.environ.get("COROGUARD_RUN") == str(os.getpid()):
        _refuse(f"{text}; run {sys.executable} -m pip install coroguard")
    sys.stderr.write(f"coroguard: {text}; this child process runs unguarded\n")


def _refuse(why: str) -> NoReturn:
    """Exit before the program begins; `site` would print an error and go on."""
    sys.stderr.write(f"coroguard: {why}\n")
    sys.stderr.flush()
    os._exit(2)


try:
    _run_next()
finally:
    children = os.environ.get("COROGUARD_GATE_CHILDREN")
    if children:
        with contextlib.suppress(Exception):
            importlib.import_module("coroguard.gates.children").begin_child(children)
    if not children or "COROGUARD_RUN" in os.environ:
        _guard()
