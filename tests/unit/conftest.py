"""Examples of Hypothesis, the same in each run and not judged by their time."""

from __future__ import annotations

from contextlib import suppress

with suppress(ImportError):  # the tests of the gates do without it
    from hypothesis import settings

    settings.load_profile("ci")
