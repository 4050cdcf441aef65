"""The audit of well-kept packages, which is silent, and of a planted one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from coroguard.bindings.findings import FindingKind

ROOT = Path(__file__).parents[3]
TWINS = ROOT / "src/coroguard/demo/twins/async_check"
# All of these mix sync and async; twins on purpose are most of redis and httpx.
PACKAGES = (
    *("redis", "httpx", "anyio", "starlette", "websockets", "asyncpg", "fastapi"),
    "coroguard",
)
AUDIT = """
import sys
from coroguard.bindings.audit import audit
audited = audit(sys.argv[1])
for found in audited.findings:
    sys.stdout.write(f"{found.kind.name} {found.name} {found.first}\\n")
"""


def audited(package: str, cwd: Path, *paths: Path) -> list[list[str]]:
    """Audit a package in a process of its own; return its findings' words."""
    path = os.pathsep.join([str(it) for it in paths])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AUDIT, package],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
    )
    return [line.split(maxsplit=2) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("package", PACKAGES)
def test_well_kept_packages_are_silent(package: str, tmp_path: Path) -> None:
    """Not one report on a package that thousands use, but of tasks it loses."""
    found = [kind for kind, *_ in audited(package, tmp_path)]
    # Both start a task and keep no reference to it; the page of the audit lists them.
    allowed = {"LOST_TASK"} if package in ("anyio", "redis") else set()
    assert set(found) - allowed == set()


def test_the_demo_is_silent_without_the_other_team(tmp_path: Path) -> None:
    """The service by itself has no collision."""
    assert audited("coroguard.demo", tmp_path, ROOT / "src") == []


def test_the_demo_is_refused_with_the_other_team(tmp_path: Path) -> None:
    """Where ``chat_probes`` is deployed beside it, the collision and its use are."""
    found = audited("coroguard.demo", tmp_path, ROOT / "src", TWINS)
    name = "validate_websocket_component_health"
    assert [words[:2] for words in found] == [
        [FindingKind.WRONG_CALL.name, f"coroguard.demo.error_handler:{name}"],
        [FindingKind.IMPORTED_TWICE.name, f"coroguard.demo.websocket_core:{name}"],
    ]


def plain_modules() -> dict[str, str]:
    """A service of 40 modules: checks, their async twins, handlers and managers."""
    modules = {"__init__": "", "checks/__init__": "", "handlers/__init__": ""}
    for number in range(10):
        modules[f"checks/check_{number}"] = f"""
            __all__ = ["check_{number}", "Check{number}"]
            class Check{number}:
                def __init__(self, url): self.url = url
                def run(self): return {{"healthy": bool(self.url)}}
                async def arun(self): return self.run()
            def check_{number}() -> dict: return Check{number}("url").run()
            """
        modules[f"checks/acheck_{number}"] = f"""
            import asyncio
            from . import check_{number} as sync
            async def check_{number}():
                return await asyncio.to_thread(sync.check_{number})
            async def rows_{number}():
                yield await check_{number}()
            """
        modules[f"handlers/handler_{number}"] = f"""
            from ..checks.check_{number} import *
            from ..checks.check_{number} import Check{number} as Kind
            from ..checks import acheck_{number} as aio
            def handle(): return check_{number}()["healthy"]
            async def ahandle():
                report = await aio.check_{number}()
                made = Kind("url")
                more = await made.arun()
                return report["healthy"] and more.get("a") and made.run()["healthy"]
            async def stream():
                return [row async for row in aio.rows_{number}()]
            """
        modules[f"manager_{number}"] = f"""
            from abc import ABC, abstractmethod
            from .checks.check_{number} import check_{number}
            class Base(ABC):
                @abstractmethod
                def check(self) -> dict: ...
                async def acheck(self): return self.check()
            class Manager(Base):
                def check(self): return check_{number}()
                async def acheck(self): return await super().acheck()
            class AsyncManager(Base):
                async def check(self): return check_{number}()
            manager = Manager()
            def handle():
                try:
                    return manager.check()
                except Exception:
                    from .checks.check_{number} import check_{number} as again
                    return again()["healthy"]
            """
    return modules


PLANTED = {
    "defined": """
        def check(): return {"healthy": True}
        def handle(): return check
        async def check(): return {"healthy": True}
        """,
    "imported": """
        from .checks.check_1 import *
        from .checks.acheck_1 import *
        """,
    "handler": """
        def handle(socket):
            try:
                return socket.receive()
            except Exception:
                from .checks.acheck_2 import check_2
                report = check_2()
                return report.get("error_suggestions", [])
        """,
    "awaited": """
        from .checks.check_3 import check_3
        async def handle(): return (await check_3())["healthy"]
        """,
    "override": """
        from .checks.check_4 import Check4
        class Checker(Check4):
            async def run(self): return {"healthy": True}
        """,
    "double": "from .shared import registry\n",
    "again": "import registry\n",
    "shared/__init__": "",
    "shared/registry": "TABLE = {}\n",
    "hidden": "def check() -> dict: return {}\n",
    "hidden/__init__": "async def check(): return {}\n",
}


def test_each_planted_collision_is_found_and_nothing_else(tmp_path: Path) -> None:
    """Of 50 modules, exactly the seven collisions are reported."""
    modules = {**plain_modules(), **PLANTED}
    for name, text in modules.items():
        file = tmp_path / "planted" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    shared = tmp_path / "planted" / "shared"
    found = audited("planted", tmp_path, tmp_path, shared)
    assert sorted(" ".join(words[:2]) for words in found) == [
        "DEFINED_TWICE planted.defined:check",
        "IMPORTED_TWICE planted.imported:check_1",
        "OVERRIDE planted.override:Checker.run",
        "SHADOWED planted.hidden",
        "TWO_NAMES planted.shared.registry",
        "WRONG_CALL planted.awaited:check_3",
        "WRONG_CALL planted.handler:check_2",
    ]
