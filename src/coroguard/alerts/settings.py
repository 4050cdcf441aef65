"""Settings of alerts, from code, `[tool.coroguard.alerts]` and the environment."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError
from .._pyproject import UnreadableProjectError, project_table

usage_error = partial(GuardUsageError, code="CG403")
URL_VARIABLE = "COROGUARD_ALERT_URL"
TOKEN_VARIABLE = "COROGUARD_ALERT_TOKEN"
_API = "/api/v2/alerts"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")  # Source: Prometheus' data model.
_TEXT, _NUMBER = "a text", "a number above 0"
_TABLE = "a table of texts, whose names are letters, digits and _"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """The destinations and the contents of alerts.

    Args:
        url: The webhook; one that ends in ``/api/v2/alerts`` is Alertmanager's own.
        service: The label ``service``; empty for none.
        impact: What an alert means for the users of the service; empty for a general
            one.
        urgency: How soon someone has to look.
        labels: Further labels of each alert.
        resolve_after_s: An alert of a leak is resolved when its place has been
            quiet for so long.
        timeout_s: How long the receiver may take to answer.
        token: Sent as ``Authorization: Bearer``; empty for none.
    """

    url: str
    service: str = ""
    impact: str = ""
    urgency: str = "immediate"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    resolve_after_s: float = 600.0
    timeout_s: float = 5.0
    token: str = field(default="", repr=False)

    @property
    def is_api(self) -> bool:
        """Whether the receiver is Alertmanager's API, and not a webhook."""
        return urlsplit(self.url).path.endswith(_API)

    @property
    def host(self) -> str:
        """Return the host and port of the URL, which hold no secret."""
        return urlsplit(self.url).netloc


_KINDS = {
    "url": _TEXT,
    "service": _TEXT,
    "impact": _TEXT,
    "urgency": _TEXT,
    "labels": _TABLE,
    "resolve_after_s": _NUMBER,
    "timeout_s": _NUMBER,
}


def read_settings(root: Path | None = None, **given: Any) -> AlertSettings:
    """Return the settings: the environment's before the code's before the project's.

    Args:
        root: A folder of the project; ``None`` is the current one.
        given: Settings of the code, by their names.

    Raises:
        GuardUsageError: There is no URL, or a setting cannot be right.
    """
    try:
        file, table = project_table(root)
    except UnreadableProjectError as error:
        raise usage_error(str(error)) from None
    where = f"{file}: tool.coroguard.alerts"
    written: Any = table.get("alerts", {})
    if not isinstance(written, dict):
        raise usage_error(
            f"{where} = {written!r} is not a table; write [tool.coroguard.alerts]"
        )
    for name, value in written.items():
        _check(name, value, f"{where}.{name}")
    for name, value in given.items():
        _check(name, value, f"alerts: {name}")
    for source, chosen in ((where, written), ("alerts", given)):
        if "url" in chosen:
            _check_url(chosen["url"], f"{source}.url", may_be_secret=False)
    settings: dict[str, Any] = {
        **written,
        **given,
        "token": os.environ.get(TOKEN_VARIABLE, ""),
    }
    url = os.environ.get(URL_VARIABLE)
    if url:
        _check_url(url, URL_VARIABLE, may_be_secret=True)
        settings["url"] = url
    if "url" not in settings:
        raise usage_error(
            f"alerts have no receiver; set {URL_VARIABLE}, or write url in "
            f"[tool.coroguard.alerts] of {file}"
        )
    return AlertSettings(**settings)


def _check(name: str, value: Any, where: str) -> None:
    if name not in _KINDS:
        if _names_a_secret(name):
            raise usage_error(
                f"{where} would keep a secret in a file; set {TOKEN_VARIABLE}"
            )
        raise usage_error(
            f"{where} is not a setting; there are {', '.join(_KINDS)}."
            f"{nearest(name, _KINDS)}"
        )
    if not _is(_KINDS[name], value):
        raise usage_error(f"{where} = {value!r} is not {_KINDS[name]}")


def _names_a_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("token", "secret", "passw", "auth"))


def _is(kind: str, value: Any) -> bool:
    if kind is _TEXT:
        return isinstance(value, str)
    if kind is _NUMBER:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and 0 < value < math.inf
    return isinstance(value, Mapping) and all(
        isinstance(it, str) and isinstance(name, str) and _LABEL.fullmatch(name)
        for name, it in value.items()
    )


def _check_url(url: str, where: str, *, may_be_secret: bool) -> None:
    """Refuse an address that no alert can be sent to, without showing any of it."""
    fix = "write one such as https://alerts.example.com/hook"
    parts = _parts_of(url)
    if parts is None:
        raise usage_error(f"{where} is not an http or https URL with a host; {fix}")
    if any(char.isspace() or not char.isprintable() for char in url):
        raise usage_error(f"{where} holds a blank or a control character; {fix}")
    if parts.username is not None:
        raise usage_error(
            f"{where} holds a user or a password, which are not sent; "
            f"set {TOKEN_VARIABLE}"
        )
    if not may_be_secret and any(map(_names_a_secret, dict(parse_qsl(parts.query)))):
        raise usage_error(f"{where} holds a secret; set {URL_VARIABLE} instead")


def _parts_of(url: str) -> SplitResult | None:
    """Return the parts of an address, ``None`` if it is not valid."""
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        return None
    return parts if is_right and parts.hostname else None
