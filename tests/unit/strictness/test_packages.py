"""Wrong names are refused before anything is changed."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from coroguard import GuardUsageError, strict_packages


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), r"write strict_packages\('app'\)"),
        ((["app"],), r"write strict_packages\('app', 'lib'\)"),
        ((1,), "a package is given by its name"),
        (("",), "'' is not the name of a package"),
        (("my-app",), "'my-app' is not the name of a package"),
        (("app.",), "'app.' is not the name of a package"),
        (("app/api.py",), "write it as in 'import app'"),
        (("asyncoi",), "no package 'asyncoi'.* Did you mean 'asyncio'?"),
        (("asyncio", "asyncoi.x"), "no package 'asyncoi'"),
        (("coroguard.guard",), "cannot check itself"),
    ],
)
def test_refusal(names: tuple[Any, ...], said: str) -> None:
    """A wrong name is refused with what to type, and no hook is installed."""
    before = [*sys.meta_path]
    with pytest.raises(GuardUsageError, match=said):
        strict_packages(*names)
    assert sys.meta_path == before
