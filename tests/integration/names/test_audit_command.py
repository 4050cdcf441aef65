"""`coroguard audit` names what collides and what it could not read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coroguard.bindings.command import explain
from coroguard.bindings.findings import FindingKind
from coroguard.bindings.rules import RULES, rule_id

Run = Callable[..., "subprocess.CompletedProcess[str]"]

MANAGER = """\
class RedisManager:
    async def is_connected(self) -> bool:
        return True
"""
RIGHT = """\
from app.manager import RedisManager


async def check() -> dict[str, bool]:
    return {"healthy": await RedisManager().is_connected()}
"""
WRONG = """\
from app.manager import RedisManager


def check() -> dict[str, bool]:
    if not RedisManager().is_connected():
        return {"healthy": False}
    return {"healthy": True}
"""
BROKEN = "import nowhere\n"


@pytest.fixture
def audit(tmp_path: Path) -> Run:
    """Run `coroguard audit` beside a package ``app`` of these modules."""

    def run(*packages: str, **modules: str) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "app"
        folder.mkdir(exist_ok=True)
        for name, text in {"__init__": "", "manager": MANAGER, **modules}.items():
            (folder / f"{name}.py").write_text(text)
        kept = {it: os.environ[it] for it in os.environ if "COROGUARD" not in it}
        return subprocess.run(
            [sys.executable, "-m", "coroguard", "audit", *packages],
            cwd=tmp_path,
            # The first folder of the path is what -m adds; scripts have another.
            env={**kept, "PYTHONSAFEPATH": "1", "COLUMNS": "40"},
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    return run


def test_package_without_collisions(audit: Run) -> None:
    """A package without findings is summed up in one line."""
    finished = audit("app", health=RIGHT)
    assert finished.stdout == "3 modules read, 0 collisions\n"
    assert (finished.returncode, finished.stderr) == (0, "")


def test_collisions(audit: Run) -> None:
    """Each collision is shown with both places and a blank line after it."""
    finished = audit("app", health=WRONG)
    lines = finished.stdout.splitlines()
    assert lines[0].startswith(
        "check() uses the result of RedisManager().is_connected()"
    )
    assert [line.partition(":")[0].strip() for line in lines[1:4]] == [
        *("first", "second", "fix"),
    ]
    assert "app/health.py:5" in lines[1]
    assert "app/manager.py:2" in lines[2]
    assert lines[4:] == ["", "3 modules read, 1 collision"]
    assert finished.returncode == 1


def test_module_that_fails(audit: Run) -> None:
    """A module that cannot be imported is named; nothing found is not clean then."""
    finished = audit("app", health=RIGHT, broken=BROKEN)
    assert finished.stdout == (
        "could not import app.broken: ModuleNotFoundError: No module named 'nowhere'\n"
        "3 modules read, 0 collisions\n"
    )
    assert finished.returncode == 4


def test_collision_outranks_a_module_that_fails(audit: Run) -> None:
    """A collision is a collision also where another module could not be imported."""
    assert audit("app", health=WRONG, broken=BROKEN).returncode == 1


def test_several_packages(audit: Run) -> None:
    """Several packages are counted together, each once."""
    finished = audit("app", "json", "app", health=RIGHT)
    assert finished.stdout == "8 modules read, 0 collisions\n"


@pytest.mark.parametrize(
    ("packages", "why"),
    [
        (("ap",), "coroguard: there is no package 'ap' here; use its import name"),
        ((), "Invalid value for PACKAGE: name at least one package"),
    ],
    ids=["unknown", "none"],
)
def test_wrong_use(audit: Run, packages: tuple[str, ...], why: str) -> None:
    """Wrong use exits with 2 and shows the right usage."""
    finished = audit(*packages)
    said = " ".join(finished.stderr.replace("│", " ").split())
    assert why in said
    assert (finished.returncode, finished.stdout) == (2, "")


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], None]:
    """Write the project's table."""

    def configured(text: str) -> None:
        (tmp_path / "pyproject.toml").write_text(f"[tool.coroguard]\n{text}\n")

    return configured


@pytest.mark.parametrize("pattern", ["app.broken", "app.b*", "*.broken"])
def test_what_is_excluded_is_left_out(
    audit: Run, configured: Callable[[str], None], pattern: str
) -> None:
    """A module that the project excludes is not imported, and is counted."""
    configured(f'exclude = ["{pattern}", "other.thing"]')
    done = audit("app", health=RIGHT, broken=BROKEN)
    assert (done.returncode, done.stdout) == (
        0,
        "3 modules read, 1 left out, 0 collisions\n",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('exclude = ["app.brokn"]', "fits no module of app; correct or remove it"),
        ('exclude = ["app.brokn"]', "Did you mean 'app.broken'?"),
        ('exclude = "app.broken"', 'write exclude = ["app.migrations"]'),
        ("exclude = [1]", 'write exclude = ["app.migrations"]'),
        ("exclude = [", "cannot be read"),
    ],
)
def test_a_wrong_exclusion_is_refused(
    audit: Run, configured: Callable[[str], None], text: str, words: str
) -> None:
    """A pattern without effect, and a wrong key, are errors that show the fix."""
    configured(text)
    done = audit("app", broken="")
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_formats_for_machines(audit: Run, form: str) -> None:
    """Each format names the rule, the file and the line, and can be read."""
    finished = audit("app", "--format", form, health=WRONG)
    assert finished.returncode == 1
    if form == "github":
        first = finished.stdout.splitlines()[0]
        assert first.startswith("::error file=app/health.py,line=5,title=coroguard wr")
        assert "%0A  fix:" in first
        return
    body = json.loads(finished.stdout)
    if form == "json":
        (found,) = body["findings"]
        assert (found["rule"], found["first"]["line"]) == ("wrong-call", 5)
        assert (body["modules"], body["failed"]) == (3, {})
        return
    (result,) = body["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], place["region"]) == ("wrong-call", {"startLine": 5})
    assert place["artifactLocation"] == {"uri": "app/health.py"}
    assert {it["id"] for it in body["runs"][0]["tool"]["driver"]["rules"]} >= {
        result["ruleId"]
    }


def test_accepted_findings_are_not_reported(audit: Run) -> None:
    """What a baseline accepts is counted and passes; anything else fails."""
    audit("app", health=WRONG)
    written = audit_again(audit, "--baseline", "known.json", "--write-baseline")
    assert written.stdout == "known.json: 1 finding accepted\n"
    passed = audit_again(audit, "--baseline", "known.json")
    assert passed.stdout == "3 modules read, 1 accepted, 0 collisions\n"
    assert passed.returncode == 0


def audit_again(audit: Run, *options: str) -> subprocess.CompletedProcess[str]:
    """Audit the package that was written before, from a new line on."""
    return audit("app", *options, health="\n\n" + WRONG)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--format", "jsn"), "not one of text, json, sarif, github. Did you mean"),
        (("--baseline", "none.json"), "there is no baseline none.json"),
        (("--baseline", "app/manager.py"), "is not a baseline"),
        (("--write-baseline",), "--write-baseline needs --baseline FILE"),
        (("--explain", "wrong-cal"), "Did you mean 'wrong-call'?"),
    ],
)
def test_wrong_options(audit: Run, options: tuple[str, ...], why: str) -> None:
    """A wrong option exits with 2 and shows what to change."""
    finished = audit("app", *options, health=RIGHT)
    assert why in finished.stderr
    assert (finished.returncode, finished.stdout) == (2, "")


@pytest.mark.parametrize("kind", RULES)
def test_each_rule_is_explained(
    kind: FindingKind, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every kind that the audit reports has an explanation with an example."""
    assert explain(rule=rule_id(kind)) == 0
    assert RULES[kind].wrong in capsys.readouterr().out


def test_every_rule_is_documented() -> None:
    """The page of the audit lists each rule."""
    page = (Path(__file__).parents[3] / "docs/how-to/audit-a-package.md").read_text()
    assert [kind for kind in RULES if f"`{kind.value}`" not in page] == []
