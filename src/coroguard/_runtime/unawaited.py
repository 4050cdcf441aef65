"""Which coroutines died un-awaited, whatever filters say about warnings?"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["note_unawaited"]


@contextmanager
def note_unawaited(note: Callable[[str, str], None]) -> Generator[None, None, None]:
    """Tell the name and the place of each coroutine that dies un-awaited in the block.

    CPython asks this hook before any warning filter is asked, so that
    `ignore::RuntimeWarning` hides nothing. Source: `_PyErr_WarnUnawaitedCoroutine`
    in `Python/_warnings.c`.
    """
    module: Any = warnings
    before = getattr(module, "_warn_unawaited_coroutine", None)
    if before is None:
        yield
        return

    def warn(coroutine: Any) -> None:
        try:
            code = coroutine.cr_code
            name = coroutine.__qualname__.rpartition("<locals>.")[2]
            note(name, f"{code.co_filename}:{code.co_firstlineno}")
        finally:
            before(coroutine)

    # Others that chain the hook know their own by this mark; it is theirs still.
    warn.__dict__.update(getattr(before, "__dict__", {}))
    module._warn_unawaited_coroutine = warn
    try:
        yield
    finally:
        if module._warn_unawaited_coroutine is warn:
            module._warn_unawaited_coroutine = before
