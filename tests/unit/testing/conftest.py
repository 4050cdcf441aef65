"""A package with a health check of both colours, and its handlers."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

HEALTH = '''"""Health of the service."""

import functools
from pathlib import Path

HERE = Path(__file__).name


def check():
    """Check."""
    return {"healthy": True, "error_suggestions": ["restart redis"]}


async def acheck():
    """Check."""
    return {"healthy": True, "error_suggestions": ["restart redis"]}


def from_inside():
    return check().get("error_suggestions", [])


class Manager:
    def check(self):
        return {"healthy": True, "error_suggestions": [type(self).__name__]}

    async def acheck(self):
        return {"healthy": True, "error_suggestions": [type(self).__name__]}

    @staticmethod
    def static(number=1):
        return {"number": number}

    @staticmethod
    async def astatic(number=1):
        return {"number": number}

    @classmethod
    def named(cls):
        return {"name": cls.__name__}

    @classmethod
    async def anamed(cls):
        return {"name": cls.__name__}


REGISTRY = {"redis": check, "aredis": acheck, "manager": Manager()}
CHECKS = [check, acheck]
'''

HANDLERS = '''"""What answers when something has failed."""

from . import health
from .health import check, acheck


def early():
    return check().get("error_suggestions", [])


async def aearly():
    return (await acheck()).get("error_suggestions", [])


def by_module():
    return health.check().get("error_suggestions", [])


async def aby_module():
    return (await health.acheck()).get("error_suggestions", [])


def late():
    try:
        raise ConnectionError("redis")
    except ConnectionError:
        from {package}.health import check

        return check().get("error_suggestions", [])


async def alate():
    try:
        raise ConnectionError("redis")
    except ConnectionError:
        from {package}.health import acheck

        return (await acheck()).get("error_suggestions", [])
'''

_NUMBERS = iter(range(1_000_000))


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The package, imported: its name, its modules, and its folder."""
    package = f"service_{next(_NUMBERS)}"
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A service."""\n')
    (folder / "health.py").write_text(HEALTH)
    (folder / "handlers.py").write_text(HANDLERS.replace("{package}", package))
    monkeypatch.syspath_prepend(tmp_path)
    handlers = importlib.import_module(f"{package}.handlers")
    health = importlib.import_module(f"{package}.health")
    yield SimpleNamespace(
        package=package, handlers=handlers, health=health, folder=folder
    )
    for name in [it for it in sys.modules if it.partition(".")[0] == package]:
        del sys.modules[name]


@pytest.fixture
def interpreter(service: Any) -> Callable[[], dict[str, Any]]:
    """Take a snapshot of what a collision may touch, to be compared."""

    def snapshot() -> dict[str, Any]:
        health: ModuleType = service.health
        return {
            "path": (id(sys.path), list(sys.path)),
            "modules": {name: id(it) for name, it in sys.modules.items()},
            "meta path": list(map(id, sys.meta_path)),
            "path hooks": list(map(id, sys.path_hooks)),
            "finders": set(sys.path_importer_cache),
            "bytecode": sys.dont_write_bytecode,
            "package": dict(vars(sys.modules[service.package])),
            "health": dict(vars(health)),
            "handlers": dict(vars(service.handlers)),
            "class": dict(vars(health.Manager)),
            "subclasses": health.Manager.__subclasses__(),
            "registry": dict(health.REGISTRY),
            "checks": list(health.CHECKS),
            "files": sorted(map(str, service.folder.parent.rglob("*"))),
            "temporary": sorted(map(str, service.temporary.iterdir())),
        }

    return snapshot


@pytest.fixture(autouse=True)
def temporary(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Path:
    """A folder for temporary files that is empty before each test."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    if "service" in request.fixturenames:
        request.getfixturevalue("service").temporary = folder
    return folder
