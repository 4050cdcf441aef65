"""Start of each Python that the tests of a gate start."""

# Python imports this by its name, from the first folder on PYTHONPATH. Any
# interpreter may, also one without coroguard: it then goes unwatched.

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import sys


def _run_next() -> None:
    """Run the `sitecustomize` that this one hides."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = [folder for folder in sys.path if os.path.abspath(folder) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


try:
    _run_next()
finally:
    if folder := os.environ.get("COROGUARD_GATE_CHILDREN"):
        with contextlib.suppress(Exception):
            importlib.import_module("coroguard.gates.children").begin_child(folder)
