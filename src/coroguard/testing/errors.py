"""Errors in the use of the helpers for tests."""

from functools import partial

from .._leaks.errors import GuardUsageError

usage_error = partial(GuardUsageError, code="CG231")
