"""Was this file written whole, and by the run that it is taken for?"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NotThisRunError", "read_sealed", "write_sealed", "write_whole"]


class NotThisRunError(ValueError):
    """A report is torn, stale or forged: its seal does not fit this run's nonce."""


def write_sealed(file: Path, body: str, nonce: bytes) -> None:
    """Write a report with a seal over its text that only the nonce can make.

    The nonce itself is not written: who reads the file can neither copy it into
    another report nor change this one.

    Raises:
        OSError: It could not be written whole; nothing stands there then.
    """
    write_whole(file, f"{_seal(body, nonce)}\n{body}")


def read_sealed(file: Path, nonce: bytes) -> str:
    """Return the text of a report.

    Raises:
        FileNotFoundError: There is none.
        NotThisRunError: It was not written by the run that holds the nonce.
    """
    text = file.read_bytes().decode("utf-8", "replace")
    seal, _, body = text.partition("\n")
    if not hmac.compare_digest(seal.encode(), _seal(body, nonce).encode()):
        raise NotThisRunError(str(file))
    return body


def write_whole(file: Path, text: str) -> None:
    """Write a file at once: a reader finds the old one or the new one, no half.

    Raises:
        OSError: It could not be written; the old one stands unchanged.
    """
    if file.exists() and not file.is_file():
        # A device or a pipe must be written to, never replaced by a file.
        file.write_text(text, encoding="utf-8")
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _seal(body: str, nonce: bytes) -> str:
    return hmac.new(nonce, body.encode(), hashlib.sha256).hexdigest()
