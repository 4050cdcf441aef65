"""Every form of the bug that a guard must see, as one table: `FORMS`."""

from . import child_tasks, dropped, nested, raised, returned, swallowed, wordings
from .registry import FORMS, Form, is_connected

__all__ = [
    "FORMS",
    "Form",
    "child_tasks",
    "dropped",
    "is_connected",
    "nested",
    "raised",
    "returned",
    "swallowed",
    "wordings",
]
