"""Small packages that are written, imported and audited, then forgotten."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coroguard.bindings.audit import Audit, audit

PACKAGE = "audited_app"
Write = Callable[..., None]
AuditOf = Callable[..., Audit]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write modules of the package; ``a__b`` stands for ``a/b.py``."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(**modules: str) -> None:
        for name, text in {"__init__": "", **modules}.items():
            file = tmp_path / PACKAGE / name.replace("___", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.parent.name != PACKAGE and file.name != "__init__":
                (file.parent / "__init__.py").touch()
            file.with_suffix(".py").write_text(text)

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def audit_of(write: Write) -> AuditOf:
    """Write a package and audit it."""

    def audit_of(**modules: str) -> Audit:
        write(**modules)
        return audit(PACKAGE)

    return audit_of
