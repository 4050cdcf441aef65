"""Messages about wrong addresses, which name the fix and no password."""

from __future__ import annotations

import pytest

from coroguard.demo.errors import ConfigError
from coroguard.demo.settings import EXAMPLES, Settings, redact

WRONG = {
    "missing": None,
    "empty": "",
    "other scheme": "mysql://u:hunter2@h/db",
    "no host": "postgresql://",
    "port is a word": "postgresql://u:hunter2@h:x/db",
    "port too high": "postgresql://u:hunter2@h:99999/db",
    "brackets": "postgresql://u:hunter2@[h/db",
}


def test_the_examples_are_good_settings():
    """The addresses that the messages suggest are usable."""
    settings = Settings.from_env(EXAMPLES)
    assert settings.database_url == EXAMPLES["DATABASE_URL"]


@pytest.mark.parametrize("url", WRONG.values(), ids=WRONG)
def test_a_wrong_address_is_refused_with_the_fix(url):
    """A wrong address names its variable and an example, and no password."""
    environ = {**EXAMPLES, "DATABASE_URL": url}
    if url is None:
        del environ["DATABASE_URL"]
    with pytest.raises(ConfigError) as wrong:
        Settings.from_env(environ)
    message = str(wrong.value)
    assert message.startswith("DATABASE_URL ")
    assert message.endswith(f"set DATABASE_URL={EXAMPLES['DATABASE_URL']}")
    assert "hunter2" not in message


@pytest.mark.parametrize("limit", ["soon", "-1", "nan", "inf"])
def test_a_limit_that_is_not_a_number_is_refused(limit):
    """A limit that cannot be a duration or a count is refused with the default."""
    with pytest.raises(ConfigError, match="set CHAT_DEADLINE_S=1"):
        Settings.from_env({**EXAMPLES, "CHAT_DEADLINE_S": limit})


def test_a_password_is_removed_in_both_spellings():
    """A password is found as it is written in the address and as it is sent."""
    text = redact("p%40ss and p@ss", "redis://:p%40ss@h:1/0")
    assert text == "*** and ***"
