"""Files that are written whole, and temporary folders that killed processes leave."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

#: Holds the ``sitecustomize`` that guarded and watched interpreters begin with.
SITE = str(Path(__file__).with_name("_site"))

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


def toml_string(text: str) -> str:
    """Return a TOML string: that of JSON, without characters that TOML forbids."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def temporary_folder(prefix: str, within: Path | None = None) -> Path:
    """Make a temporary folder that is named after this process.

    Folders of this prefix that killed processes of the same user left are removed.

    Args:
        prefix: The beginning of its name.
        within: Where to make it; ``None`` is the system's temporary folder.
    """
    within = within or Path(tempfile.gettempdir())
    own, pid = _process()
    for folder in within.glob(f"{prefix}{own}-*-*"):
        number = folder.name.removeprefix(f"{prefix}{own}-").partition("-")[0]
        with suppress(OSError):
            is_ours = folder.lstat().st_uid == os.geteuid() and not folder.is_symlink()
            if is_ours and number.isdecimal() and not _is_running(int(number)):
                shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{own}-{pid}-", dir=within))


def _process() -> tuple[int, int]:
    """Return the process's namespace, such as a container's, and its number there."""
    namespace = 0
    with suppress(OSError):
        namespace = os.stat("/proc/self/ns/pid").st_ino
    return namespace, os.getpid()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True
