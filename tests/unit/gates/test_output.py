"""Nothing from a test steers what shows it, and no secret is shown."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum

import pytest
from rich.console import Console

from coroguard.gates.evidence import Phase, RunEvidence, TestEvidence
from coroguard.gates.output import clean, each_text, flat
from coroguard.gates.readiness import ExitCode, GateResult, Readiness
from coroguard.gates.redact import Redactor
from coroguard.gates.table import show
from coroguard.gates.verdict import Gate, Judgement, Verdict

COMMANDS = [
    "::add-mask::x",
    "  ::stop-commands::x",
    "got\n::error::x",
    "got\r\n\t::error::x",
    "got ##[group]x",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[buildStatus status='SUCCESS']",
]


@pytest.mark.parametrize("text", COMMANDS)
def test_no_command_is_left(text):
    """A CI runner finds no command of its own in a text of somebody else."""
    lines = clean(text).split("\n")
    assert not any(line.lstrip().startswith("::") for line in lines)
    assert not any("##" in line for line in lines)


def test_node_ids_stay_as_they_are():
    """What looks a little like a command, and is not, is not changed."""
    text = "tests/test_a.py::TestA::test_b[1-#2] failed: a == 'ü'\n  see C:\\temp"
    assert clean(text) == text


@pytest.mark.parametrize("char", ["\x1b", "\r", "\x00", "\x9b", "\u202e", "\ud800"])
def test_what_cannot_be_shown_is_escaped(char):
    """A control character, a direction mark or half a character is spelled out."""
    assert clean(f"a{char}b") == f"a{char.encode('unicode_escape').decode()}b"


def test_a_long_text_is_cut():
    """A text of any length is shown only so far as somebody reads it."""
    assert clean("x" * 1_000_000).endswith("(980000 more characters)")


def test_one_line_stays_one_line():
    """A text in one line has no second one that looks like a verdict."""
    assert flat("lost\n\nREADY: 9 of 9 gates passed\n") == (
        "lost | READY: 9 of 9 gates passed"
    )


def test_every_text_of_a_record_is_changed():
    """Records, mappings and sequences keep their kinds; other values stay."""

    class Kind(StrEnum):
        A = "a"

    @dataclass(frozen=True)
    class Record:
        name: str
        parts: tuple[object, ...]

    record = Record("a", (Kind.A, {"a": ["a", 1, None]}, frozenset({"a"})))
    assert each_text(record, str.upper) == Record(
        "A", (Kind.A, {"A": ["A", 1, None]}, frozenset({"A"}))
    )


def shown(readiness: Readiness, width: int) -> list[str]:
    file = io.StringIO()
    show(readiness, Console(file=file, width=width, highlight=False))
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", range(24, 60))
def test_no_folded_line_begins_with_a_command(width):
    """Wherever a line is folded, the part after the fold commands no runner."""
    reason = "x" * 40 + "::stop-commands::until-i-say-so" * 4
    result = GateResult(
        Gate("g" * 30 + "::error::"), Judgement(Verdict.FAILED, (reason,))
    )
    lines = shown(Readiness([result]), width)
    assert not any(line.strip().startswith("::") for line in lines)


@pytest.mark.parametrize(
    "readiness",
    [
        Readiness(
            [
                GateResult(
                    Gate("a\nREADY: b", title="c\nREADY: d", rule="e\nREADY: f"),
                    Judgement(Verdict.FAILED, ("g\nREADY: h",)),
                )
            ]
        ),
        Readiness(problem=(ExitCode.INTERNAL, "broke\nREADY: 9 of 9 gates passed")),
    ],
)
def test_no_line_is_forged(readiness):
    """A name, a rule, a reason or printed output begins no line of its own."""
    ready = [line for line in shown(readiness, 80) if line.startswith("READY")]
    assert ready == []


ADDRESSES = {
    "URL": ("postgresql://shop:tulip-7@db:5432/shop", "tulip-7"),
    "URL without a user": ("redis://:tulip-7@cache/0", "tulip-7"),
    "quoted URL": ("amqp://shop:tulip%407@mq/", "tulip@7"),
    "query": ("https://api/x?token=tulip-7-oboe", "tulip-7-oboe"),
    "connection string": ("host=db user=shop password=tulip-7", "tulip-7"),
}


@pytest.mark.parametrize("kind", ADDRESSES)
def test_the_password_of_a_service_is_hidden(kind):
    """A service's password is hidden in its address and everywhere else."""
    address, password = ADDRESSES[kind]
    redact = Redactor.of({"STORE": address}, {"store": "STORE"})
    text = redact(f"no route to {address}; login {password} refused; {password[:-1]}")
    assert password not in text
    assert password[:-1] not in text


def test_a_password_that_is_a_word_of_the_address_hides_no_words():
    """Where the password is the user's name, that word stays in other texts."""
    address = "postgresql://postgres:postgres@localhost/postgres"
    redact = Redactor.of({"STORE": address}, {"store": "STORE"})
    assert redact(f"postgres is away: {address}") == (
        "postgres is away: postgresql://postgres:***@localhost/postgres"
    )


@pytest.mark.parametrize(
    "text",
    [
        "mysql://root:tulip-7@db/x",
        "mysql://root:tulip-7",
        "Authorization: Bearer tulip-7-oboe",
        "ghp_" + "tulip7" * 6,
        "eyJhbGciOi.eyJzdWIiOi.tulip-7",
        "password=tulip-7 host=db",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text):
    """An address or a token of a service that nobody configured is hidden too."""
    assert "tulip" not in Redactor()(f"refused: {text}")


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8000/users/@me",
        "http://127.0.0.1:9",
        "tests/test_token.py::test_token == 3",
        "password=None",
        "ada@example.org wrote at 10:30",
    ],
)
def test_other_texts_stay(text):
    """An address without a password, a port and a name are shown as they are."""
    assert Redactor()(text) == text


def test_a_token_in_the_environment_is_hidden():
    """The value of a variable that is named like a secret is hidden; words are not."""
    environment = {
        "DEPLOY_TOKEN": "x7-tulip-7",
        "MY_SECRET": "password",
        "PWD": "/srv/shop",
        "OLDPWD": "/workspace",
        "CREDENTIALS": "/run/keys/shop.json",
    }
    text = "/srv/shop/a.py, /workspace and /run/keys/shop.json"
    redact = Redactor.of(environment, {})
    assert redact(f"x7-tulip-7 is no password: {text}") == (
        f"*** is no password: {text}"
    )


def test_records_hide_secrets_in_what_tests_wrote():
    """The boundary covers what is deep inside a gate's evidence."""
    test = TestEvidence("t.py::a", (Phase("call", "failed", text="x://a:secret7@b"),))
    result = GateResult(
        Gate("g"), Judgement(Verdict.FAILED), RunEvidence(tests={"t": test})
    )
    assert "secret7" not in str(each_text(Readiness([result]), Redactor()))
