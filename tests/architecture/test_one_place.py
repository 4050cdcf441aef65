"""Jobs that have one place each in the source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

#: Each job with what gives it away in a source file, and the one file that does it.
JOBS = {
    "reading annotations": (
        r"get_annotations|annotationlib|get_type_hints|\.__annotations__",
        "_inspect/annotations.py",
    ),
    "hooking the finalizer": (r"\._warn_unawaited_coroutine = ", "_runtime/drops.py"),
    "suggesting a name": (r"get_close_matches", "_inspect/texts.py"),
    "opening what holds values": (r"__pydantic_private__", "_inspect/contents.py"),
    "unwrapping": (r"inspect\.unwrap|__wrapped__", "_inspect/callables.py"),
}
#: Files in which the words have another meaning.
OTHER = {
    "reading annotations": {"integrations/middleware/requests.py"},  # copies them
    "unwrapping": {
        "_guard/proxy.py",  # wrapt's name for the object behind a proxy
        "bindings/protection.py",  # the loader behind wrapt's proxy
        "testing/twins.py",  # deletes it
    },
}


@pytest.mark.parametrize("job", JOBS)
def test_one_place(job: str, package: Path) -> None:
    """A job is done in one file; a second one would drift away from the first."""
    pattern, place = JOBS[job]
    found = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        if re.search(pattern, file.read_text())
    }
    assert place in found
    assert found - {place} - OTHER.get(job, set()) == set()
