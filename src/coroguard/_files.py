"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

_DEVICES = (Path("/dev"), Path("/proc"))
_FILES = Path("/dev/shm")


def is_device(file: Path) -> bool:
    """Return whether a path is a device or a pipe, ``/dev/stdout`` included.

    Such a path is written to; it is never removed or replaced.
    """
    above = file.absolute().parents
    in_devices = any(folder in above for folder in _DEVICES) and _FILES not in above
    return in_devices or (file.exists() and not file.is_file())


def write_whole(file: Path, text: str) -> None:
    """Write a file as UTF-8 at once: a reader finds the old text or the new one.

    Raises:
        OSError: It could not be written; the old text is unchanged.
    """
    data = text.encode("utf-8", "backslashreplace")
    if is_device(file):
        file.write_bytes(data)
        return
    # Through a link, so that the link stays.
    file = file.resolve()
    draft = file.with_name(f".{file.name[:100]}.{os.getpid()}")
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
