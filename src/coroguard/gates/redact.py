"""Secrets, kept out of everything that is shown or written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_HIDDEN = "***"
_SECRET = re.compile(
    r"passw(?:or)?d|pwd|secret|token|api_?key|access_?key|private_?key|credential",
    re.I,
)
# The password of an address; the end may be cut off.
_IN_ADDRESS = re.compile(r"(\w://[^\s/:@]*:)(?:[^\s/]+(?=@)|(?!\d*$)[^\s/@:]+$)")
# `password=...` of a connection string, or of an address's query.
_BY_NAME = re.compile(
    r"(?i)\b(\w*(?:password|passwd|pwd|secret|token|api_?key)=['\"]?)"
    r"(?!None|True|False)([^\s\"'&;,\])]{4,})"
)
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abp]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|sk-[\w-]{20,}|eyJ[\w-]+\.[\w-]+\.[\w-]*)"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
# The value of PWD, or of a variable that names a file of secrets.
_PATH = re.compile(r"(?:[A-Za-z]:)?[/\\]\S*[/\\.]|/\w+$|~/")
_SHORTEST = 4
_SHORTEST_OF_VARIABLE = 8


@dataclass(frozen=True, slots=True)
class Redactor:
    """The redactor of an environment's secrets and of all that looks like one.

    Args:
        secrets: The texts to hide wherever they are, the longest first.
    """

    secrets: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, environment: Mapping[str, str], services: Mapping[str, str]
    ) -> Redactor:
        """Return a redactor for an environment.

        Args:
            environment: The environment variables.
            services: Services with the variables that hold their addresses.
        """
        found: set[str] = set()
        for variable in services.values():
            found.update(_secrets_in(environment.get(variable, "")))
        for name, value in environment.items():
            # A word may be part of any text; hiding it would hide the text.
            is_word = len(value) < _SHORTEST_OF_VARIABLE or value.isalpha()
            if _SECRET.search(name) and not is_word and not _PATH.match(value):
                found.add(value)
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """Return the text with its secrets hidden."""
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
            text = _without_cut_off(text, secret)
        text = _IN_ADDRESS.sub(rf"\1{_HIDDEN}", text)
        text = _BY_NAME.sub(rf"\1{_HIDDEN}", text)
        text = _TOKEN.sub(_HIDDEN, text)
        return _BEARER.sub(rf"\1 {_HIDDEN}", text)


def _without_cut_off(text: str, secret: str) -> str:
    """Hide a secret of which only the beginning fitted into the text."""
    for length in range(len(secret) - 1, _SHORTEST - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + _HIDDEN
    return text


def _secrets_in(address: str) -> Iterator[str]:
    """Yield the passwords of an address in each way in which it may be written."""
    try:
        parts = urlsplit(address)
        named = [*parse_qsl(parts.query)]
        password, public = parts.password or "", {parts.username, parts.hostname}
        public |= {parts.scheme, parts.path.strip("/")}
    except ValueError:
        password, named, public = "", [], set()
    named += [(found[1], found[2]) for found in _BY_NAME.finditer(address)]
    values = [password, *(value for name, value in named if _SECRET.search(name))]
    for value in values:
        forms = {value, unquote(value), quote(value, safe=""), repr(value)[1:-1]}
        for form in forms - public:
            if len(form) >= _SHORTEST:
                yield form
