"""The extras of the package that integrations need."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def of_extra(extra: str) -> Generator[None, None, None]:
    """Name the extra that brings a module where importing it in this block fails.

    Raises:
        ModuleNotFoundError: A module of the block is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        package = (missing.name or extra).partition(".")[0]
        raise ModuleNotFoundError(
            f"{package} is not installed; run pip install 'coroguard[{extra}]'",
            name=package,
        ) from None
