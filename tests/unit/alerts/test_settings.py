"""Settings of alerts: where they come from, and what is refused."""

from __future__ import annotations

import math

import pytest

from coroguard import GuardUsageError
from coroguard.alerts.settings import read_settings

URL = "https://alerts.example.com/hook"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    monkeypatch.delenv("COROGUARD_ALERT_URL", raising=False)
    monkeypatch.delenv("COROGUARD_ALERT_TOKEN", raising=False)


@pytest.fixture
def project(tmp_path):
    """Write the table of alerts of a project, and return its folder."""

    def write(text):
        table = f"[tool.coroguard.alerts]\n{text}\n"
        (tmp_path / "pyproject.toml").write_text(table)
        return tmp_path

    return write


def test_the_table_is_read(project):
    """Each setting of the project's table arrives."""
    root = project(
        f'url = "{URL}"\nservice = "chat"\nimpact = "90% of platform value at risk"\n'
        'urgency = "today"\nlabels = { team = "chat" }\nresolve_after_s = 60\n'
        "timeout_s = 1.5"
    )
    settings = read_settings(root)
    assert (settings.url, settings.service, settings.urgency) == (URL, "chat", "today")
    assert settings.impact == "90% of platform value at risk"
    assert settings.labels == {"team": "chat"}
    assert (settings.resolve_after_s, settings.timeout_s) == (60, 1.5)


def test_the_code_overrules_the_table(project):
    """What the code gives wins over the file, setting by setting."""
    settings = read_settings(project(f'url = "{URL}"\nservice = "a"'), service="b")
    assert (settings.url, settings.service) == (URL, "b")


def test_the_environment_overrules_both(project, monkeypatch):
    """The URL of the environment wins, and only there may it hold a secret."""
    secret = "http://127.0.0.1:9093/hook?token=abc"
    monkeypatch.setenv("COROGUARD_ALERT_URL", secret)
    monkeypatch.setenv("COROGUARD_ALERT_TOKEN", "s3cret")
    settings = read_settings(project(f'url = "{URL}"'), url=URL)
    assert (settings.url, settings.token) == (secret, "s3cret")
    assert "s3cret" not in repr(settings)


def test_without_a_receiver(tmp_path):
    """A project without a URL is refused, with both places to write one."""
    with pytest.raises(GuardUsageError) as caught:
        read_settings(tmp_path)
    assert "set COROGUARD_ALERT_URL, or write url in" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('urll = "x"', "alerts.urll is not a setting; .* Did you mean 'url'?"),
        ('token = "x"', "alerts.token would keep a secret in a file; set COROGUARD_AL"),
        ('api_secret = "x"', "would keep a secret in a file"),
        ("url = 7", "alerts.url = 7 is not a text"),
        ("resolve_after_s = 0", "resolve_after_s = 0 is not a number above 0"),
        ("resolve_after_s = nan", "resolve_after_s = nan is not a number above 0"),
        ("timeout_s = true", "timeout_s = True is not a number above 0"),
        ("labels = { a = 1 }", "labels = {'a': 1} is not a table of texts"),
        ("labels = { a-b = '1' }", "labels = {'a-b': '1'} is not a table of texts"),
        ('url = "alerts.example.com"', "alerts.url is not an http or https URL"),
        ('url = "file:///etc/passwd"', "is not an http or https URL with a host"),
        ('url = "https://"', "is not an http or https URL with a host"),
        ('url = "http://host:99999/"', "is not an http or https URL with a host"),
        ('url = "http://host:0/"', "is not an http or https URL with a host"),
        ('url = "http://[::1/"', "is not an http or https URL with a host"),
        ('url = "http://host/a b"', "holds a blank or a control character"),
        ('url = "http://me:pw@host/"', "holds a user or a password, which are not"),
        ('url = "http://host/?token=abc"', "holds a secret; set COROGUARD_ALERT_URL"),
    ],
)
def test_wrong_settings_are_named(line, why, project):
    """The message names the file and the key, and never shows the address."""
    with pytest.raises(GuardUsageError) as caught:
        read_settings(project(line))
    text = str(caught.value)
    assert why.split(".*")[0].rstrip() in text
    assert why.split(".*")[-1].strip() in text
    assert "pyproject.toml: tool.coroguard.alerts" in text
    assert "pw@" not in text
    assert "=abc" not in text


def test_a_table_that_is_none(tmp_path):
    """A value in the place of the table is refused."""
    (tmp_path / "pyproject.toml").write_text(f'[tool.coroguard]\nalerts = "{URL}"\n')
    with pytest.raises(GuardUsageError, match=r"write \[tool\.coroguard\.alerts\]"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    "given", [{"timeout": 1}, {"timeout_s": math.inf}, {"url": "x"}, {"labels": []}]
)
def test_wrong_settings_of_the_code(given, tmp_path):
    """The code's settings are held to the same rules."""
    with pytest.raises(GuardUsageError, match=r"alerts"):
        read_settings(tmp_path, **given)


def test_a_wrong_url_of_the_environment(tmp_path, monkeypatch):
    """The message names the variable."""
    monkeypatch.setenv("COROGUARD_ALERT_URL", "slack")
    with pytest.raises(GuardUsageError, match=r"^COROGUARD_ALERT_URL is not an http"):
        read_settings(tmp_path)
