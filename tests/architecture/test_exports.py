"""The public names are those of the contract, and nothing else."""

from __future__ import annotations

import os
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

import coroguard

PUBLIC = {
    "guard",
    "watch",
    "HealthReport",
    "ComponentHealth",
    "CoroguardError",
    "CoroutineLeakError",
    "HealthReportError",
    "NotAwaitableError",
    "GuardUsageError",
    "Leak",
    "LeakKind",
    "explain",
    "Mode",
    "configure",
    "mode",
    "status",
    "subscribe",
}
BESIDE_THE_CONTRACT = {
    "Call",
    "Event",
    "__version__",
    "protect",
    "strict_packages",
    "unprotect",
}


def test_all_is_the_contract() -> None:
    """``__all__`` holds the public names, each once."""
    assert sorted(coroguard.__all__) == sorted(PUBLIC | BESIDE_THE_CONTRACT)


@pytest.mark.parametrize("name", sorted(coroguard.__all__))
def test_public_name_resolves(name: str) -> None:
    """Each public name is an attribute that ``dir`` lists."""
    assert getattr(coroguard, name) is not None
    assert name in dir(coroguard)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that does not exist is refused in Python's own words."""
    with pytest.raises(AttributeError, match=r"'coroguard' has no attribute 'gaurd'"):
        _ = coroguard.gaurd


def test_public_names_know_their_home() -> None:
    """Errors name ``coroguard`` and not a private module, as tracebacks show it."""
    errors = [getattr(coroguard, name) for name in PUBLIC if name.endswith("Error")]
    assert {error.__module__ for error in errors} == {"coroguard"}


def test_error_tree() -> None:
    """Each error is one of ours and also the standard kind."""
    kinds = {
        coroguard.CoroutineLeakError: TypeError,
        coroguard.HealthReportError: ValueError,
        coroguard.NotAwaitableError: TypeError,
        coroguard.GuardUsageError: TypeError,
    }
    for error, standard in kinds.items():
        assert issubclass(error, coroguard.CoroguardError)
        assert issubclass(error, standard)


def test_version_is_the_distributions() -> None:
    """``__version__`` and the metadata agree."""
    assert coroguard.__version__ == metadata.version("coroguard")


def test_ci_imports_the_wheel(package: Path, root: Path) -> None:
    """In CI the tests import what was built; at home the source tree will do."""
    built = Path(sysconfig.get_path("purelib"))
    allowed = {built} if os.environ.get("CI") else {built, root / "src"}
    assert package.parent in allowed
