"""Error frames while a component is away, and the recovery after it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest

from coroguard import HealthReport
from coroguard.demo.client import ChatClient
from coroguard.demo.health import validate_websocket_component_health

from .conftest import DEADLINE_S, LIMITS, PATIENCE_S


def failure(frame, component):
    """Return the parts of an error frame that is about this component."""
    return (
        frame["type"],
        frame["code"],
        frame["failed_components"],
        component in frame["message"],
        bool(frame["suggestions"]),
    )


def expected(component):
    return ("error", "COMPONENT_UNAVAILABLE", [component], True, True)


async def ping(client):
    await asyncio.sleep(0.01)
    await client.send(type="ping")
    assert (await client.receive())["type"] == "pong"


async def works_again(client):
    """Return whether the socket answers, at the latest the third message."""
    for _ in range(3):
        if (await client.ask("hello again"))[-1]["type"] == "agent_completed":
            return True
    return False


@pytest.mark.parametrize("name", ["postgres", "valkey"])
async def test_a_frozen_server_is_reported_at_the_deadline(
    chat, enter, hurt, timed, name
):
    """A server that is suspended costs a frame, not the socket or the others."""
    component = {"postgres": "database", "valkey": "redis"}[name]
    server = getattr(hurt, name)
    async with enter(chat) as client, enter(chat) as other:
        await client.ask("hello")
        server.process.freeze()
        turn = asyncio.ensure_future(timed(client.ask("anybody?")))
        pongs = 0
        while not turn.done():
            await ping(other)
            pongs += 1
        frames, took_s = await turn
        server.process.thaw()
        assert failure(frames[-1], component) == expected(component)
        assert took_s >= DEADLINE_S
        assert pongs > 1
        assert await works_again(client)


@pytest.mark.parametrize("name", ["postgres", "valkey"])
async def test_a_killed_server_is_reported_and_forgiven(chat, enter, hurt, name):
    """A killed server costs a frame; the same socket works when it is back."""
    component = {"postgres": "database", "valkey": "redis"}[name]
    server = getattr(hurt, name)
    async with enter(chat) as client:
        await client.ask("hello")
        server.kill()
        frames = await client.ask("anybody?")
        assert failure(frames[-1], component) == expected(component)
        server.restart()
        assert await works_again(client)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
async def test_a_black_hole_is_reported_at_the_deadline(
    linked, enter, hurt, links, timed, name
):
    """A link that swallows everything costs a frame at the deadline."""
    component = {"DATABASE_URL": "database", "REDIS_URL": "redis"}[name]
    async with enter(linked) as client:
        await client.ask("hello")
        links[name].swallow()
        frames, took_s = await timed(client.ask("anybody?"))
        assert failure(frames[-1], component) == expected(component)
        assert took_s >= DEADLINE_S
        links[name].heal()
        assert await works_again(client)


async def test_black_holes_do_not_use_up_the_connections(linked, enter, hurt, links):
    """More users in a black hole than the pool has connections, and it still heals."""
    async with AsyncExitStack() as sockets:
        clients = [await sockets.enter_async_context(enter(linked)) for _ in range(25)]
        well = await asyncio.gather(*(client.ask("hello") for client in clients))
        links["DATABASE_URL"].swallow()
        ill = await asyncio.gather(*(client.ask("anybody?") for client in clients))
        links["DATABASE_URL"].heal()
        again = await asyncio.gather(*(works_again(client) for client in clients))
    assert {frames[-1]["type"] for frames in well} == {"agent_completed"}
    assert {frames[-1]["type"] for frames in ill} == {"error"}
    assert all(again)


@pytest.mark.parametrize("how", ["killed", "black hole"])
async def test_a_socket_can_be_opened_during_an_outage(linked, user, hurt, links, how):
    """A user without auth gets a frame, and is let in when auth is back."""
    token = user()[1]
    if how == "killed":
        hurt.auth.kill()
    else:
        links["AUTH_URL"].swallow()
    async with ChatClient(linked.url, token, patience_s=PATIENCE_S) as client:
        first = await client.receive()
        assert failure(first, "auth") == expected("auth")
        if how == "killed":
            hurt.auth.restart()
        else:
            links["AUTH_URL"].heal()
        await client.send(type="ping")
        assert (await client.receive())["type"] == "ready"
        assert (await client.receive())["type"] == "pong"


async def test_the_health_endpoint_shows_an_outage(chat, hurt):
    """The endpoint answers 200 or 503 in the draft's format, with no password in it."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        well = await client.get(chat.url + "/health")
        hurt.valkey.kill()
        ill = await client.get(chat.url + "/health")
    assert (well.status_code, well.json()["status"]) == (200, "pass")
    assert (ill.status_code, ill.json()["status"]) == (503, "fail")
    assert well.headers["content-type"] == "application/health+json"
    assert len(ill.json()["checks"]) == 6
    for url in hurt.addresses.values():
        secret = httpx.URL(url).password
        assert not secret or secret not in ill.text


@pytest.mark.parametrize("swallowed", ["DATABASE_URL", "REDIS_URL", "AUTH_URL"])
def test_the_health_check_holds_its_deadline(monkeypatch, hurt, links, swallowed):
    """The check itself, called as a plain function, ends at its deadline."""
    for name, link in links.items():
        monkeypatch.setenv(name, link.url)
    monkeypatch.setenv("CHAT_HEALTH_DEADLINE_S", str(DEADLINE_S))
    links[swallowed].swallow()
    report = HealthReport.model_validate(validate_websocket_component_health())
    name = {"DATABASE_URL": "database", "REDIS_URL": "redis", "AUTH_URL": "auth"}
    assert report.failed_components == [name[swallowed]]
    detail = report.component_details[name[swallowed]]
    assert detail.error_code == "DEADLINE_PASSED"


def test_a_wrong_environment_is_a_report_too(monkeypatch):
    """Without addresses the check still returns a report, with the fix."""
    for name in ("DATABASE_URL", "REDIS_URL", "AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    report = HealthReport.model_validate(
        validate_websocket_component_health("me")  # not a context
    )
    assert report.failed_components == [
        "environment",
        "database",
        "redis",
        "auth",
        "user_context",
    ]
    assert "set REDIS_URL=" in report.component_details["redis"].error


async def test_a_leaking_health_check_gets_a_structured_frame(stack, enter, hurt):
    """With the collision deployed and the guard on, the client gets its code."""
    service = stack.chat("leaking", mode="enforce", twin="async_check", env=LIMITS)
    service.wait_ready()
    async with enter(service) as client:
        hurt.valkey.kill()
        frame = (await client.ask("anybody?"))[-1]
        assert (frame["code"], frame["failed_components"]) == (
            "HEALTH_CHECK_LEAK",
            ["redis"],
        )
        assert service.log_text.count("ERROR coroguard.leak: ") == 1
        hurt.valkey.restart()
        assert await works_again(client)
    service.process.stop()
