"""A configured service is talked to before it counts as real."""

from __future__ import annotations

import socket
import threading

import pytest

from coroguard.gates.reach import reach


@pytest.fixture
def server():
    """A server that reads once and answers with what it was given."""
    opened = []

    def serve(answer: bytes, *, greets: bool = False) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def answer_once():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if not greets:
                    connection.recv(64)
                connection.sendall(answer)

        threading.Thread(target=answer_once, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    for listener in opened:
        listener.close()


@pytest.mark.parametrize(
    ("address", "answer", "greets"),
    [
        ("http://127.0.0.1:{}/health", b"HTTP/1.1 404 Not Found\r\n", False),
        ("redis://:secret@127.0.0.1:{}/0", b"-NOAUTH", False),
        ("postgresql+asyncpg://u:p@127.0.0.1:{}/shop", b"N", False),
        ("host=127.0.0.1 port={} dbname=shop", b"S", False),
        ("mysql://127.0.0.1:{}/shop", b"J\x00\x00\x00\x0a8.0", True),
        ("amqp://127.0.0.1:{}", b"\x01\x00\x00", False),
        ("127.0.0.1:{}", b"", True),
        ("kafka://127.0.0.1:9,127.0.0.1:{}", b"", True),
    ],
)
def test_a_service_that_answers_is_reached(server, address, answer, greets):
    """A service that speaks the protocol of its address is real."""
    assert reach(address.format(server(answer, greets=greets))) is None


def test_another_service_is_not_reached(server):
    """A port where something else listens does not count."""
    found = reach(f"redis://127.0.0.1:{server(b'HTTP/1.1 400 Bad Request')}")
    assert found is not None
    assert (found.is_refuted, found.why) == (
        True,
        "ValueError: what answers does not speak redis",
    )


@pytest.mark.parametrize(
    "address", ["postgresql://shop:secret@127.0.0.1:9/x", "unix:///nowhere", "a:9"]
)
def test_nobody_answers(address):
    """An address where nobody listens is refuted, without the password."""
    found = reach(address)
    assert found is not None
    assert found.is_refuted
    assert "secret" not in found.why


@pytest.mark.parametrize("address", ["", "memory://", "shop-bucket", "http://[broken"])
def test_there_is_nobody_to_talk_to(address):
    """An address of no place proves nothing about the service."""
    found = reach(address)
    assert found is not None
    assert not found.is_refuted


def test_a_file_is_there_or_not(tmp_path):
    """A service in a file is real where the file exists."""
    file = tmp_path / "shop.db"
    assert reach(f"sqlite:///{file}") is not None
    file.touch()
    assert reach(f"sqlite:///{file}") is None


def calls_real(project) -> None:
    project.write(
        "pyproject.toml",
        """
        [tool.coroguard]
        services = { store = "STORE_URL" }
        [tool.coroguard.gates.chat]
        """,
    )
    body = "import pytest\n@pytest.mark.gate('chat')\ndef test_chat(gate_record):\n"
    body += "    gate_record.service('store', real=True)\n"
    project.write("tests/test_chat.py", body)


def test_a_test_cannot_call_real_what_does_not_answer(project):
    """A gate whose real service does not answer at its address is incomplete."""
    calls_real(project)
    project.environment["STORE_URL"] = "postgresql://shop:secret7@127.0.0.1:9/shop"
    ran = project.gate()
    assert ran.verdicts == {"chat": "INCOMPLETE"}
    assert "the service 'store' at STORE_URL was not reached" in ran.reasons


def test_a_service_without_an_address_is_not_real_enough(project):
    """Where nobody could talk to a service, it counts unless it has to be real."""
    calls_real(project)
    assert project.gate().verdicts == {"chat": "PASSED"}
    assert project.gate("--real-services").verdicts == {"chat": "INCOMPLETE"}


def test_a_service_that_answers_is_real(project, server):
    """A gate whose real service answers at its address is green."""
    calls_real(project)
    port = server(b"+PONG\r\n")
    project.environment["STORE_URL"] = f"redis://127.0.0.1:{port}"
    assert project.gate("--real-services").verdicts == {"chat": "PASSED"}
