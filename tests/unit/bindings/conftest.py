"""A package to be protected, and a process that forgets it afterwards."""

from __future__ import annotations

import sys

import pytest

from coroguard import mode, subscribe, unprotect

HEALTH = """
async def is_connected(): return True

def check_redis(): return {"redis": is_connected()}
async def check_database(): return is_connected()
def check_rows(): yield 1
def helper(): return is_connected()

class Manager:
    def check(self): return is_connected()
    async def acheck(self): return is_connected()
    @staticmethod
    def check_port(): return is_connected()
    @classmethod
    def check_name(cls): return is_connected()
    @property
    def check_url(self): return "redis://"

class Child(Manager): pass

class Checker:
    async def __call__(self): return is_connected()

checker = Checker()
manager = Manager()
"""
MODULES = {
    "guarded_app/__init__.py": "",
    "guarded_app/health.py": HEALTH,
    "guarded_app/routes/__init__.py": "",
    "guarded_app/routes/websocket.py": HEALTH,
}


def forget(name):
    for module in [it for it in sys.modules if it.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def app(tmp_path, monkeypatch):
    """A package on the path, not imported yet."""
    for file, text in MODULES.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "guarded_app"
    unprotect()
    forget("guarded_app")


@pytest.fixture
def reported():
    """The events of the test."""
    seen = []
    unsubscribe = subscribe(seen.append)
    with mode("enforce"):
        yield seen
    unsubscribe()
