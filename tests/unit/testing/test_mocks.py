"""Mocks with the colours of their originals."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Self, Union
from unittest.mock import AsyncMock, MagicMock, create_autospec, patch, seal

import pytest

from coroguard import GuardUsageError
from coroguard._inspect.colours import Colour, colour_of
from coroguard.testing import mock_of

if TYPE_CHECKING:
    from decimal import Decimal


class Scalars:
    def all(self) -> list[str]:
        return []


class Result:
    count: int = 0

    def scalars(self) -> Scalars:
        return Scalars()

    async def fetch(self) -> Scalars:
        return Scalars()


@dataclass
class Pool:
    result: Result
    size: int = 5


def lossy(function: Any) -> Any:
    """A sync wrapper, whose colour its code does not show."""

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


class Session:
    """A class with methods of every colour."""

    pool: Pool
    maybe: Optional[Result] = None  # noqa: UP045
    port = 6379
    ran: list[str] = []  # noqa: RUF012

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def check(self, deep: bool = False) -> dict[str, Any]:
        return {}

    def unsure(self):
        return self.url

    async def execute(self, query: str) -> Result:
        return Result()

    async def bare(self):
        return self

    async def nothing(self) -> None:
        return None

    def facade(self) -> Awaitable[Result]:
        return self.execute("")

    def quoted(self) -> "Awaitable[Result | None]":  # noqa: UP037
        return self.execute("")

    def either(self) -> Union[Awaitable[Result], Result]:  # noqa: UP007
        return Result()

    def unseen(self) -> Decimal:
        return Decimal("0")

    def several(self) -> Result | Scalars:
        return Result()

    def fluent(self) -> Self:
        return self

    async def rows(self, size: int = 1) -> AsyncIterator[Result]:
        yield Result()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Result]:
        yield Result()

    @staticmethod
    def static(number: int) -> int:
        return number

    @staticmethod
    async def astatic(number: int) -> int:
        return number

    @classmethod
    def make(cls, url: str) -> Self:
        return cls(url)

    @classmethod
    async def amake(cls, url: str) -> Self:
        return cls(url)

    @property
    def result(self) -> Result:
        type(self).ran.append("result")
        return Result()

    @functools.cached_property
    def cached(self) -> Result:
        type(self).ran.append("cached")
        return Result()

    @functools.lru_cache  # noqa: B019
    def remembered(self) -> int:
        return 1

    async def _fetch(self, table: str) -> Result:
        return Result()

    @lossy
    async def wrapped(self) -> Result:
        return Result()

    fetch_users = functools.partialmethod(_fetch, "users")


class Check:
    async def __call__(self, name: str) -> Result:
        return Result()


def plain(a: int, b: int = 2) -> Result:
    return Result()


async def coroutine_function(a: int) -> Result:
    return Result()


async def generator_function(a: int) -> AsyncIterator[int]:
    yield a


SYNC = ["check", "unsure", "static", "make", "unseen", "several", "fluent"]
ASYNC = ["execute", "bare", "nothing", "facade", "quoted", "astatic", "amake"]
ARGUMENTS = {"execute": ("q",), "static": (1,), "astatic": (1,), "make": ("u",)}
ARGUMENTS["amake"] = ("u",)


@pytest.fixture(params=["class", "instance", "object"])
def session(request: pytest.FixtureRequest) -> Any:
    """A mock of the class, what it makes, and a mock of an object."""
    if request.param == "object":
        return mock_of(Session("redis://"))
    mock = mock_of(Session)
    return mock if request.param == "class" else mock("redis://")


# --- colours


@pytest.mark.parametrize("name", [*SYNC, *ASYNC, "rows", "begin", "either"])
def test_a_method_keeps_its_colour(session, name):
    """The colour of each of a mock's methods is that of the original's."""
    assert colour_of(getattr(session, name)) is colour_of(vars(Session)[name])


@pytest.mark.parametrize("name", SYNC)
def test_a_sync_method_gives_its_value(session, name):
    """A sync method gives what it was taught, and no coroutine."""
    getattr(session, name).return_value = 5
    assert getattr(session, name)(*ARGUMENTS.get(name, ())) == 5
    assert not inspect.iscoroutinefunction(getattr(session, name))


@pytest.mark.parametrize("name", ASYNC)
async def test_an_async_method_gives_an_awaitable(session, name):
    """An async method, and a facade that promises an awaitable, is awaited."""
    method = getattr(session, name)
    method.return_value = 5
    assert await method(*ARGUMENTS.get(name, ())) == 5
    method.assert_awaited_once_with(*ARGUMENTS.get(name, ()))


async def test_an_async_generator_gives_an_iterator(session):
    """An async generator method gives an async iterator over what it was taught."""
    assert [row async for row in session.rows()] == []
    session.rows.return_value = [1, 2]
    assert [row async for row in session.rows(size=2)] == [1, 2]
    assert [row async for row in session.rows()] == [1, 2]
    session.rows.return_value = generator_function(5)
    assert [row async for row in session.rows()] == [5]
    session.rows.side_effect = lambda size=1: range(size)
    assert [row async for row in session.rows(size=2)] == [0, 1]


async def test_a_context_manager_is_entered(session):
    """The method gives what ``async with`` turns into the value."""
    async with session.begin() as result:
        assert isinstance(result, Result)
        assert await result.fetch() is not None
    session.begin.return_value = 5
    async with session.begin() as result:
        assert result == 5


async def test_either_may_be_awaited_or_used(session):
    """What may be a value or an awaitable is right for callers of both colours."""
    assert await session.either() is not None
    session.either.return_value = 5
    assert session.either() == 5
    assert await session.wrapped() is not None


async def test_a_session_is_entered_as_itself(session):
    """``async with`` and ``with`` on a mock give the mock, and leave no exception."""
    async with session as entered:
        assert entered is session
    with session as entered:
        assert entered is session
    with pytest.raises(KeyError):
        async with session:
            raise KeyError("x")


async def test_a_chain_keeps_its_colours(session):
    """What an awaited call gives is a mock of the class that it promises."""
    result = await session.execute("select")
    assert isinstance(result, Result)
    assert isinstance(result.scalars(), Scalars)
    assert inspect.iscoroutinefunction(result.fetch)
    session.execute.return_value.scalars.return_value.all.return_value = ["m1"]
    assert (await session.execute("select")).scalars().all() == ["m1"]


@pytest.mark.allow_leaks("*scalars", reason="this is what the standard mock does")
async def test_a_real_case_of_the_corpus():
    """The repository that had to await ``scalars()`` in tests needs it no more."""

    async def find_messages(db: Any) -> list[str]:
        result = await db.execute("SELECT ...")
        return list(result.scalars().all())

    db = mock_of(Session)
    db.execute.return_value.scalars.return_value.all.return_value = ["m1"]
    assert await find_messages(db) == ["m1"]
    standard = AsyncMock()
    standard.execute.return_value.scalars.return_value.all.return_value = ["m1"]
    with (
        pytest.warns(RuntimeWarning, match="never awaited"),
        pytest.raises(AttributeError, match="'coroutine' object has no attribute"),
    ):
        await find_messages(standard)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("facade", Result),
        ("quoted", Result),
        ("execute", Result),
        ("amake", Session),
    ],
)
async def test_what_is_awaited_is_of_its_class(session, name, kind):
    """The class is found in annotations, text, optionals and facades too."""
    found = await getattr(session, name)(*ARGUMENTS.get(name, ()))
    assert isinstance(found, kind)


@pytest.mark.parametrize("name", ["unsure", "unseen", "several"])
def test_an_unknown_class_is_an_ordinary_mock(session, name):
    """Without one class that is there, a call gives a plain sync ``MagicMock``."""
    found = getattr(session, name)()
    assert type(found).__name__ == "MagicMock"
    assert not inspect.iscoroutine(found.anything())


async def test_none_is_given_where_it_is_promised(session):
    """What is annotated as giving nothing gives ``None``."""
    assert await session.nothing() is None


async def test_an_unannotated_coroutine_function_gives_a_sync_mock(session):
    """What is awaited has sync methods where nothing is known of it."""
    found = await session.bare()
    assert not inspect.iscoroutine(found.scalars())


def test_attributes_are_mocks_of_their_class(session):
    """Properties and annotated attributes are mocks of the class that they name."""
    assert isinstance(session.result, Result)
    assert isinstance(session.cached, Result)
    assert isinstance(session.pool, Pool)
    assert isinstance(session.pool.result.scalars(), Scalars)
    assert isinstance(session.maybe, Result)
    assert isinstance(session.port, int)
    assert Session.ran == []


async def test_a_partial_method_keeps_its_colour(session):
    """A ``partialmethod`` of a coroutine function is awaited."""
    assert isinstance(await session.fetch_users(), Result)
    assert session.remembered.return_value is session.remembered()


# --- specs


def test_it_is_an_instance_of_its_class(session):
    """``isinstance`` holds, and the constructor's signature too."""
    assert isinstance(session, Session)
    with pytest.raises(TypeError, match="missing a required argument: 'url'"):
        mock_of(Session)()


def test_unknown_attributes_are_refused(session):
    """What the original does not have the mock does not have either."""
    for wrong in (
        lambda: session.chek,
        lambda: session.check.anything,
        lambda: session.execute.return_value.scalar,
        lambda: session.result.nothing,
    ):
        with pytest.raises(AttributeError):
            wrong()


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it.check(1, 2),
        lambda it: it.execute(),
        lambda it: it.static(),
        lambda it: it.make(),
        lambda it: it.rows(wrong=1),
        lambda it: it.begin(1),
        lambda it: it.either(1),
    ],
)
def test_calls_have_to_fit(session, call):
    """A call that does not fit the original's signature is refused at once."""
    with pytest.raises(TypeError, match=r"argument"):
        call(session)


def test_calls_are_remembered(session):
    """Positional and named arguments are the same to an assertion."""
    session.check(True)
    session.check.assert_called_once_with(deep=True)
    assert session.mock_calls[-1][0] == "check"


def test_it_shows_its_signature():
    """``inspect.signature`` of a mock is that of its original, bound."""
    mock = mock_of(Session)
    assert str(inspect.signature(mock.execute)) == "(query: 'str') -> 'Result'"
    assert mock.execute.__name__ == "execute"
    assert mock.execute.__qualname__ == "Session.execute"


# --- other originals


async def test_functions():
    """Mocks of functions have their colour, signature and what they are taught."""
    assert mock_of(plain, return_value=5)(1) == 5
    assert isinstance(mock_of(plain)(1).scalars(), Scalars)
    assert await mock_of(coroutine_function, return_value=5)(1) == 5
    assert inspect.iscoroutinefunction(mock_of(coroutine_function))
    mock = mock_of(generator_function, return_value=[1])
    assert [it async for it in mock(1)] == [1]
    assert mock_of(functools.partial(plain, 1))().count is not None
    assert await mock_of(Session("x").execute, return_value=5)("q") == 5
    with pytest.raises(TypeError, match="missing"):
        mock_of(plain)()


async def test_callable_objects():
    """An object with an async ``__call__`` is awaited, a class of such is made."""
    for mock in (mock_of(Check()), mock_of(Check)()):
        assert isinstance(mock, Check)
        assert isinstance(await mock("redis"), Result)
        assert colour_of(mock) is Colour.ASYNC


async def test_modules():
    """A module's functions, classes and values are mocked each by its kind."""
    module = types.ModuleType("app.service")
    module.plain, module.acheck, module.Session = plain, coroutine_function, Session
    module.session = Session("redis://")
    mock = mock_of(module)
    assert isinstance(mock.plain(1), Result)
    assert isinstance(await mock.acheck(1), Result)
    assert isinstance(await mock.Session("x").execute("q"), Result)
    assert isinstance(await mock.session.execute("q"), Result)
    with pytest.raises(AttributeError):
        _ = mock.nothing


async def test_objects_have_their_own_attributes():
    """What an object holds itself is mocked by what it is."""
    original = Session("redis://")
    original.hook = coroutine_function
    original.result_of = Result()
    mock = mock_of(original)
    assert isinstance(await mock.hook(1), Result)
    assert isinstance(mock.result_of.scalars(), Scalars)
    assert isinstance(mock.url, str)


async def test_options():
    """Options teach as ``configure_mock`` does, checks included."""
    mock = mock_of(Session, **{"check.return_value": {"healthy": True}, "url": "x"})
    assert mock.check() == {"healthy": True}
    assert mock.url == "x"
    with pytest.raises(GuardUsageError, match=r"Session\.check is sync"):
        mock_of(Session, **{"check.side_effect": coroutine_function})


@pytest.mark.parametrize("mock", [MagicMock(), AsyncMock(), mock_of(Result)])
def test_a_mock_is_no_original(mock):
    """A mock of a mock is refused, with what to type."""
    with pytest.raises(GuardUsageError, match=r"write mock_of\(TheClass\)"):
        mock_of(mock)


# --- teaching


def teach(mock: Any, path: str, value: Any) -> None:
    *names, last = path.split(".")
    for name in names:
        mock = getattr(mock, name)
    setattr(mock, last, value)


def sync_generator():
    yield 1


@pytest.mark.parametrize(
    ("path", "make", "words"),
    [
        ("check.side_effect", lambda: coroutine_function, "sync_twin.coroutine_functi"),
        ("check.side_effect", AsyncMock, r"its side_effect an AsyncMock is async"),
        ("check.side_effect", Check, r"its side_effect Check is async"),
        ("check.side_effect", lambda: [1, coroutine_function(1)], "value itself"),
        ("check.return_value", lambda: coroutine_function(1), "a coroutine; write"),
        ("check.return_value", lambda: generator_function(1), "an? async generator"),
        ("check.return_value", AsyncMock, r"Session.check.return_value = mock_of"),
        ("unsure.return_value", lambda: coroutine_function(1), "is sync, and its"),
        ("check", AsyncMock, "is sync, and an AsyncMock is async; write"),
        ("check", lambda: coroutine_function, "or assign a sync function"),
        ("check", lambda: mock_of(coroutine_function), "an CoroutineMock is async"),
        ("check", lambda: create_autospec(coroutine_function), "is async"),
        ("check", lambda: generator_function, "is async iterator"),
        ("execute", MagicMock, "is async, and an MagicMock is sync; .* an AsyncMock"),
        ("execute", lambda: lambda query: True, "is async, and .*lambda.* is sync"),
        ("execute", lambda: mock_of(generator_function), "is async iterator; write"),
        ("execute.return_value", lambda: coroutine_function(1), "the value itself"),
        ("execute.return_value", AsyncMock, "whose every method is async"),
        ("execute.side_effect", lambda: [coroutine_function(1)], "the value itself"),
        ("facade", MagicMock, "is async, and an MagicMock is sync"),
        ("rows", AsyncMock, "is async iterator, and an AsyncMock is async"),
        ("rows", lambda: coroutine_function, "is async iterator"),
        ("rows", lambda: sync_generator, "sync_generator is sync"),
        ("rows.side_effect", lambda: coroutine_function, "its side_effect"),
        ("rows.return_value", lambda: coroutine_function(1), "value itself"),
        (
            "rows.return_value",
            lambda: 5,
            r"its return_value is not iterable; write .* \[item",
        ),
        ("begin", AsyncMock, "is async context manager, and an AsyncMock is async"),
        ("begin.return_value", AsyncMock, "whose every method is async"),
        ("begin.side_effect", lambda: coroutine_function, "its side_effect"),
        ("static", AsyncMock, "Session.static is sync"),
        ("amake", MagicMock, "Session.amake is async"),
        ("__aenter__", MagicMock, "Session.__aenter__ is async"),
        ("return_value", AsyncMock, "Session is sync, .*|whose every method is async"),
    ],
)
def test_a_wrong_colour_is_refused(path, make, words):
    """What would give a mock the wrong colour is refused, with what to type."""
    with pytest.raises(GuardUsageError, match=words):
        teach(mock_of(Session), path, make())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("check.side_effect", lambda deep=False: {}),
        ("check.side_effect", KeyError("x")),
        ("check.side_effect", KeyError),
        ("check.side_effect", [1, KeyError]),
        ("check.side_effect", None),
        ("check.return_value", MagicMock()),
        ("check", lambda deep=False: {}),
        ("check", MagicMock()),
        ("check", None),
        ("unsure.return_value", mock_of(coroutine_function)),
        ("execute.side_effect", coroutine_function),
        ("execute.side_effect", lambda query: query),
        ("execute.side_effect", AsyncMock()),
        ("execute.side_effect", [1, 2]),
        ("execute.return_value", MagicMock()),
        ("execute.return_value", mock_of(Result)),
        ("execute", AsyncMock()),
        ("execute", coroutine_function),
        ("execute", mock_of(coroutine_function)),
        ("execute", lambda query: asyncio.sleep(0)),
        ("facade", coroutine_function),
        ("rows.return_value", [1]),
        ("rows.return_value", MagicMock()),
        ("rows", generator_function),
        ("rows", MagicMock()),
        ("begin", MagicMock()),
        ("either.return_value", 5),
        ("either", AsyncMock()),
        ("either", MagicMock()),
        ("remembered", AsyncMock()),
        ("__aenter__", AsyncMock()),
        ("url", "redis://"),
        ("pool", MagicMock()),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_right_colour_is_taught(path, value):
    """What keeps the colour, or may keep it, is taken."""
    teach(mock_of(Session), path, value)


async def test_a_side_effect_that_gives_a_coroutine_is_refused():
    """Where only the call shows the colour, the call is refused."""
    mock = mock_of(Session)
    mock.check.side_effect = lambda deep=False: coroutine_function(1)
    with pytest.raises(GuardUsageError, match="side_effect gave a coroutine; write"):
        mock.check()
    mock.execute.side_effect = lambda query: coroutine_function(1)
    with pytest.raises(GuardUsageError, match=r"write Session\.execute\.side_effect"):
        await mock.execute("q")


async def test_side_effects_have_their_effect(session):
    """Side effects of both colours, lists and errors work as on standard mocks."""
    session.execute.side_effect = coroutine_function
    assert isinstance(await session.execute("q"), Result)
    session.execute.side_effect = [1, KeyError("x")]
    assert await session.execute("q") == 1
    with pytest.raises(KeyError):
        await session.execute("q")
    session.check.side_effect = KeyError("x")
    with pytest.raises(KeyError):
        session.check()


def test_patching_is_checked_and_undone():
    """``patch.object`` on a mock is refused where the colour is wrong."""
    mock = mock_of(Session)
    check = mock.check
    with pytest.raises(GuardUsageError), patch.object(mock, "check", AsyncMock()):
        pass
    with patch.object(mock, "check", lambda deep=False: 5):
        assert mock.check() == 5
    assert mock.check is check


def test_an_unawaited_mock_names_its_original():
    """A coroutine that nobody awaits has the original's name."""
    coroutine = mock_of(Session).execute("q")
    assert coroutine.__qualname__ == "Session.execute"
    coroutine.close()


def test_a_sealed_mock_gives_only_what_it_was_taught():
    """``seal`` holds for these mocks too."""
    mock = mock_of(plain)
    seal(mock)
    with pytest.raises(AttributeError):
        mock(1)


async def test_a_reset_mock_is_as_new(session):
    """``reset_mock`` forgets calls and what was taught, and keeps the colours."""
    session.execute.return_value = 5
    await session.execute("q")
    session.reset_mock()
    session.execute.assert_not_called()
    session.execute.reset_mock(return_value=True, side_effect=True)
    assert isinstance(await session.execute("q"), Result)
