"""Links that the proxy breaks in exactly the requested way."""

from __future__ import annotations

import asyncio
import time

import pytest

from coroguard.gates.faults import (
    Bandwidth,
    FaultProxy,
    Latency,
    ResetPeer,
    SlowClose,
    Timeout,
)

SOON_S = 0.25


async def until(condition, timeout_s=60.0):
    """Wait for something to be so."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        await asyncio.sleep(0.005)


async def is_silent(talk, text="anybody?"):
    """Whether nothing comes back; the only thing that takes waiting to see."""
    talk.writer.write(text.encode() + b"\n")
    try:
        await asyncio.wait_for(talk.reader.readline(), SOON_S)
    except TimeoutError:
        return True
    return False


async def test_a_sound_link_changes_nothing(connect, proxy):
    """Without a toxic, every byte passes in both directions."""
    async with connect() as talk:
        text = "x" * 60_000
        assert (await talk.says(text))[0] == text
        assert proxy.connections == 1
    await until(lambda: proxy.connections == 0)


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
async def test_latency_delays_the_stream_it_is_given_for(connect, proxy, stream):
    """Latency on one stream of a live link delays an exchange by itself, once."""
    async with connect() as talk:
        await talk.says("before")
        proxy.add(Latency(120), stream)
        answer, took_ms = await talk.says("slow")
        assert answer == "slow"
        assert took_ms >= 120
        proxy.remove(Latency(120), stream)
        # Only a delay that stayed would take as long every time.
        times = [(await talk.says("after"))[1] for _ in range(50)]
        assert min(times) < 120


async def test_latency_in_both_directions_adds_up(connect, proxy):
    """Without a stream, a toxic works on the way there and on the way back."""
    async with connect() as talk:
        proxy.add(Latency(60))
        assert (await talk.says("slow"))[1] >= 120


async def test_what_waits_arrives_when_the_latency_is_removed(connect, proxy):
    """Removing a latency delivers what it still held back."""
    async with connect() as talk:
        proxy.add(Latency(3_600_000))
        asking = asyncio.ensure_future(talk.says("held back"))
        await asyncio.sleep(0)
        proxy.remove(Latency(3_600_000))
        assert (await asking)[0] == "held back"


async def test_a_black_hole_swallows_until_it_is_removed(connect, proxy):
    """In a timeout of zero the link stays, silent; what it swallowed is lost."""
    async with connect() as talk:
        await talk.says("before")
        with proxy.poisoned(Timeout()):
            assert await is_silent(talk, "lost")
            for _ in range(2):  # after which the proxy's loop has read what was sent
                proxy.remove(Latency(0))
        assert (await talk.says("after"))[0] == "after"


async def test_a_black_hole_takes_new_connections_too(connect, proxy):
    """Who connects to a black hole is let in and hears nothing."""
    with proxy.poisoned(Timeout()):
        async with connect() as talk:
            assert await is_silent(talk)


async def test_a_timeout_closes_the_link_in_the_end(connect, proxy):
    """A timeout with a time closes the link when it is over."""
    async with connect() as talk:
        proxy.add(Timeout(timeout_ms=30))
        assert await talk.ending() == "closed"


async def test_a_reset_ends_live_links_and_new_ones(connect, proxy):
    """Reset_peer resets the links there are, and each that follows."""
    async with connect() as talk:
        await talk.says("before")
        proxy.add(ResetPeer())
        assert await talk.ending() == "reset"
    # The reset may be there before the one who connects has noticed that it is in.
    with pytest.raises(ConnectionResetError):
        async with connect() as talk:
            await asyncio.wait_for(talk.reader.read(), 60)
    proxy.heal()
    async with connect() as talk:
        assert (await talk.says("after"))[0] == "after"


async def test_down_refuses_and_ends_what_there_is(connect, proxy):
    """A proxy that is down refuses on its port, and takes it again when it is up."""
    port = proxy.port
    async with connect() as talk:
        await talk.says("before")
        with proxy.refusing():
            assert await talk.ending() == "closed"
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
    async with connect() as talk:
        assert (await talk.says("after"))[0] == "after"
    assert proxy.port == port


async def test_bandwidth_lets_data_trickle(connect, proxy):
    """At 100 kB a second, 20 kB take a fifth of a second."""
    async with connect() as talk:
        proxy.add(Bandwidth(rate_kb_s=100), "downstream")
        answer, took_ms = await talk.says("x" * 20_000)
        assert len(answer) == 20_000
        assert took_ms >= 200


async def test_slow_close_delays_the_end(connect, proxy):
    """With slow_close the end of a stream comes later, and comes."""
    async with connect() as talk:
        proxy.add(SlowClose(delay_ms=120), "upstream")
        started = time.monotonic()
        talk.writer.write_eof()
        assert await talk.ending() == "closed"
        assert time.monotonic() - started >= 0.12


async def test_a_server_that_is_away_costs_the_client_its_connection():
    """Where nobody listens behind the proxy, the client is hung up on."""
    with FaultProxy("127.0.0.1", 1) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        await until(lambda: proxy.connections == 0)


async def test_one_proxy_hurts_nobody_elses_links(connect, proxy, echo):
    """A toxic stays on the links of its own proxy."""
    with FaultProxy("127.0.0.1", echo) as other:
        other.add(Timeout())
        async with connect() as talk:
            assert (await talk.says("fine"))[0] == "fine"


def test_addresses_keep_everything_but_the_place():
    """Login, path and query of an address survive; host and port are the proxy's."""
    url = "postgresql://chat:s%40cret@db.example:5432/chat?sslmode=disable"
    with FaultProxy.before(url) as proxy:
        expected = url.replace("db.example:5432", f"127.0.0.1:{proxy.port}")
        assert proxy.url(url) == expected


def test_an_address_without_a_port_is_refused():
    """A proxy has to know the server behind it."""
    with pytest.raises(ValueError, match="has no host and port"):
        FaultProxy.before("unix:///run/redis.sock")


@pytest.mark.parametrize(
    ("toxic", "value"),
    [
        (Latency, -1),
        (Timeout, -1),
        (ResetPeer, -1),
        (SlowClose, float("nan")),
        (Bandwidth, 0),
    ],
)
def test_impossible_toxics_are_refused(toxic, value):
    """A negative delay or no bandwidth at all is a mistake."""
    with pytest.raises(ValueError, match=r"is (negative|not more than zero)"):
        toxic(value)
