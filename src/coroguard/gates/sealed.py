"""Reports with a seal that only their own run can make."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from coroguard._files import write_whole


class NotThisRunError(ValueError):
    """A report is torn, stale or forged: its seal does not fit the run's nonce."""


def take_nonce(variable: str) -> bytes:
    """Read the nonce from the pipe that a variable names, and remove the variable.

    Returns:
        The nonce, which nothing else can read again; empty without the variable.
    """
    number = os.environ.pop(variable, "")
    if not number:
        return b""
    with open(int(number), "rb") as pipe:
        return pipe.read()


def write_sealed(file: Path, body: str, nonce: bytes) -> None:
    """Write a report with a seal over its text that only the nonce can make.

    The nonce itself is not written, so a reader of the file can neither change it
    nor copy its seal into another report.

    Raises:
        OSError: It could not be written whole; there is no file then.
    """
    write_whole(file, f"{_seal(body, nonce)}\n{body}")


def read_sealed(file: Path, nonce: bytes) -> str:
    """Return the text of a report.

    Raises:
        FileNotFoundError: It does not exist.
        NotThisRunError: It was not written by the run that holds the nonce.
    """
    text = file.read_bytes().decode("utf-8", "replace")
    seal, _, body = text.partition("\n")
    if not hmac.compare_digest(seal.encode(), _seal(body, nonce).encode()):
        raise NotThisRunError(str(file))
    return body


def _seal(body: str, nonce: bytes) -> str:
    return hmac.new(nonce, body.encode(), hashlib.sha256).hexdigest()
