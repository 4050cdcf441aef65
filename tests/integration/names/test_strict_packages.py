"""Packages that strict mode checks, in whole programs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from .conftest import LEAKED, STRICT, USERS, Run, Write

RIGHT = '''
"""A program with nothing wrong."""
from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import functools
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol
from typing import Self, TypedDict, TypeVar, overload

from pydantic import BaseModel, Field

from coroguard import HealthReport, guard

if TYPE_CHECKING:
    from decimal import Decimal
if typing.TYPE_CHECKING:
    from fractions import Fraction

Amounts = list["Decimal"]
Older = typing.List["Decimal"]
T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")


class Named(Protocol):
    name: str

    async def load(self) -> str: ...


class Row(TypedDict, total=False):
    name: str
    pending: Awaitable[str]


class Point(NamedTuple):
    x: int
    y: int = 0


class Colour(enum.StrEnum):
    RED = "red"


class Model(BaseModel):
    name: str
    tags: list[str] = Field(default_factory=list)
    colour: Colour = Colour.RED


@dataclasses.dataclass
class User(Generic[T]):
    name: str
    value: T | None = None
    known: ClassVar[dict[str, int]] = {}
    task: asyncio.Task[str] | None = None

    class Inner:
        pass

    def inner(self, other: Inner) -> Inner:
        return other

    def me(self) -> Self:
        return self

    @classmethod
    def make(cls, name: str) -> Self:
        return cls(name)

    @staticmethod
    def double(x: int) -> int:
        return 2 * x

    @property
    def title(self) -> str:
        return self.name.title()

    async def load(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return NotImplemented


def logged(function: F) -> F:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return typing.cast("F", wrapper)


@overload
def twice(x: int) -> int: ...
@overload
def twice(x: str) -> str: ...
def twice(x: int | str) -> int | str:
    return x * 2


def for_checkers(x: Decimal, y: Fraction | None = None) -> list[Decimal]:
    amounts: list[Decimal] = [x]
    return amounts


def anything(x: typing.Annotated[Any, "documented"], y: Amounts, z: Older) -> None:
    pass


def later(name: str) -> Coroutine[Any, Any, str]:
    return User(name).load()


def handlers() -> dict[str, Callable[[], Awaitable[str]]]:
    return {"a": lambda: later("a")}


def many(*names: str, **flags: bool) -> tuple[str, ...]:
    return names


def numbers(count: int) -> Iterator[int]:
    yield from range(count)


async def stream() -> AsyncIterator[str]:
    yield "x"


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[str]:
    yield "open"


@logged
def first(items: Sequence[T], default: T | None = None) -> T | None:
    return items[0] if items else default


@guard(returns=dict[str, bool])
def check() -> dict[str, bool]:
    return {"up": True}


@guard
async def health() -> HealthReport:
    return HealthReport(
        healthy=True, failed_components=[], component_details={},
        error_suggestions=[], timestamp="2026-01-01T00:00:00Z", summary="fine",
    )


def name_of(thing: Named) -> str:
    return thing.name


async def main() -> None:
    user: User[int] = User.make("ada").me()
    user.task = asyncio.create_task(later("ada"))
    row: Row = {"name": "ada", "pending": later("bob")}
    done: Sequence[str] = await asyncio.gather(user.task, row["pending"])
    both: list[str] = [await h() for h in handlers().values()]
    point: Point = Point(1)
    a: int
    a, b = point
    a += 1
    mapping: Mapping[str, Model] = {"a": Model(name="a", tags=["b"])}
    async with opened() as text:
        words: list[str] = [word async for word in stream()]
    if (n := len(words)) != 1:
        raise SystemExit(3)
    waiting: Awaitable[str] = user.load()
    assert await waiting == "ada"
    await health()
    user.inner(User.Inner())
    for_checkers(1)
    anything(1, [2], [3])
    many("a", b=True)
    list(numbers(3))
    print(name_of(user), twice(2), twice("x"), first([1]), check(), done, both)
    print(user.title, user == user, User.double(a), mapping["a"].name, text)


def run() -> None:
    asyncio.run(main())
'''


PLACES = """
from __future__ import annotations
import asyncio
import dataclasses
from typing import Any

async def find() -> str:
    return "ada"

def leak() -> Any:
    return find()

def argument(user: str) -> None: ...
def returned() -> str: return leak()
def variable() -> None: user: str = leak()
def nested() -> dict[str, list[str]]: return {"a": [leak()]}
def second() -> None: users: list[str] = ["bob", leak()]
async def awaited() -> bool: return leak()

class Users:
    def method(self, *users: str) -> None: ...
    @staticmethod
    def static() -> str | None: return leak()

def everywhere() -> list[Any]:
    return [
        lambda: argument(leak()), returned, variable, nested, second,
        lambda: asyncio.run(awaited()), lambda: Users().method("bob", leak()),
        Users.static,
    ]
"""


EACH = """
from app import places
from coroguard import CoroutineLeakError

for place in places.everywhere():
    try:
        place()
    except CoroutineLeakError as error:
        leak = error.leak
        print(leak.guarded, leak.kind, leak.path, leak.name, error.expected, sep=" | ")
"""


FOUND = """\
argument | nested | argument 'user' | find | str
returned | returned | $ | find | str
variable | nested | variable 'user' | find | str
nested | nested | $.a[0] | find | dict[str, list[str]]
second | nested | variable 'users', $[1] | find | list[str]
awaited | returned | $ | find | bool
Users.method | nested | argument 'users', $[1] | find | tuple[str, ...]
Users.static | returned | $ | find | str | None
"""


def test_every_place_in_a_package(write: Write, run: Run) -> None:
    """Each annotated place of an imported package is checked, and names what it saw."""
    write(app__places=PLACES, main=EACH)
    done = run(*STRICT, "python", "-W", "error", "main.py")
    assert done.stdout == FOUND
    assert "Warning" not in done.stderr


def test_package_run_as_the_program(write: Write, run: Run, tmp_path: Path) -> None:
    """``-m app`` checks ``app/__main__.py`` too, and leaves no bytecode of it."""
    write(app__users="")
    (tmp_path / "app/__main__.py").write_text(USERS + "\nleak()\n")
    done = run(*STRICT, "-m", "app")
    assert LEAKED in done.stderr
    assert run("python", "-m", "app").returncode == 0  # and no bytecode stayed


def test_right_program_is_silent(write: Write, run: Run) -> None:
    """A program with nothing wrong causes no output, whatever it is written with."""
    write(app__right=RIGHT, main="from app import right\nright.run()")
    bare = run("python", "-W", "error", "main.py")
    done = run(*STRICT, "python", "-W", "error", "main.py")
    assert (bare.returncode, bare.stderr) == (0, "")
    assert (done.returncode, done.stdout, done.stderr) == (0, bare.stdout, "")


def test_environment_alone(write: Write, run: Run) -> None:
    """The two variables do it for a program that imports coroguard first."""
    write(
        app__users=USERS, main="import coroguard\nfrom app import users\nusers.leak()"
    )
    done = run("python", "main.py", COROGUARD_MODE="strict", COROGUARD_PACKAGES="x,app")
    assert "COROGUARD_PACKAGES='x': there is no package 'x'" in done.stderr
    done = run("python", "main.py", COROGUARD_MODE="strict", COROGUARD_PACKAGES=" app,")
    assert LEAKED in done.stderr


@pytest.mark.parametrize("mode", ["", "off", "observe", "enforce"])
def test_other_modes_check_no_packages(write: Write, run: Run, mode: str) -> None:
    """Outside strict mode the variable does nothing, and costs no import."""
    main = "import coroguard, sys\nfrom app import users\nusers.leak()\n"
    write(app__users=USERS, main=main + "print('typeguard' in sys.modules)")
    done = run("python", "main.py", COROGUARD_MODE=mode, COROGUARD_PACKAGES="app,x")
    assert (done.returncode, done.stdout) == (0, "False\n")


def test_in_code(write: Write, run: Run) -> None:
    """``strict_packages`` checks what is imported after it, call by call."""
    write(
        app__users=USERS,
        lib__users=USERS,
        main=(
            "from coroguard import strict_packages\n"
            "strict_packages('app')\n"
            "from app import users\n"
            "strict_packages('lib', 'app')\n"
            "from lib import users as others\n"
            "for each in (users, others):\n"
            "    try: each.leak()\n"
            "    except TypeError as error: print(error.leak.defined)\n"
            "import sys\n"
            "print(sum('coroguard' in type(f).__module__ for f in sys.meta_path))\n"
        ),
    )
    done = run("python", "-W", "error", "main.py")
    assert done.stdout == "app/users.py:4\nlib/users.py:4\n1\n", done.stderr


#: Shows what is reported, to the very end of the program.
SHOWS = "import coroguard; coroguard.subscribe(lambda event: print(event.error))\n"


def test_what_was_imported_before_is_named(write: Write, run: Run) -> None:
    """Modules that are too late are named once, also with warnings as errors."""
    write(
        app__users=USERS,
        app__others=USERS,
        main=(
            "from app import users\n"
            f"{SHOWS}"
            "coroguard.strict_packages('app')\n"
            "coroguard.strict_packages('app')\n"
            "from app import others\n"
            "users.leak()\n"
            "others.leak()\n"
        ),
    )
    done = run("python", "-W", "error", "main.py")
    assert done.stdout.count("strict_packages('app') came after") == 1
    assert "import of app, app.users, which is not checked" in done.stdout
    assert "coroguard run --strict --package app -- PROGRAM" in done.stdout
    assert "line 7, in <module>" in done.stderr
    assert LEAKED in done.stderr


def test_package_without_a_file_is_not_late(write: Write, run: Run) -> None:
    """A namespace package has nothing to check, so nothing of it is too late."""
    write(
        app__users=USERS,
        main=(
            "from coroguard import strict_packages\n"
            "strict_packages('app')\n"
            "import app.users\n"
            "strict_packages('app')\n"
        ),
    )
    run("rm", "app/__init__.py")
    done = run("python", "-W", "error", "main.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_package_that_never_came_is_named(write: Write, run: Run) -> None:
    """A check of nothing does not pass in silence."""
    write(app__users=USERS, main=f"{SHOWS}print('done')")
    done = run(*STRICT, "main.py")
    assert "nothing of the strict package 'app' was imported" in done.stdout
    assert done.returncode == 0


def test_package_that_a_child_checks_is_not_called_unchecked(
    write: Write, run: Run
) -> None:
    """Where a child may have checked the package, the program is silent."""
    main = (
        f"{SHOWS}import subprocess, sys\n"
        "subprocess.check_call([sys.executable, '-c', 'import app.users'])"
    )
    write(app__users=USERS, main=main)
    done = run(*STRICT, "main.py")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_zipped_package_is_described(write: Write, run: Run, tmp_path: Path) -> None:
    """What is not read from a .py file is named as what it is."""
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as file:
        file.writestr("app/__init__.py", "def load(x: int) -> int: return x\n")
    write(main=f"{SHOWS}import sys; sys.path.insert(0, 'lib.zip')\nimport app")
    done = run(*STRICT, "main.py")
    assert "nothing of the strict package 'app' was checked" in done.stdout
    assert "is loaded by zipimporter" in done.stdout
    assert "came after" not in done.stdout


def test_types_raise_where_they_are_asked_for(write: Write, run: Run) -> None:
    """A wrong type without a coroutine is an event, and an error with --types."""
    write(
        app__users="def load(x: int) -> int: return x\n",
        main=f"{SHOWS}import app.users\nprint(app.users.load('x'))",
    )
    done = run(*STRICT, "main.py")
    assert done.stdout.endswith("x\n")
    assert "argument 'x' of load() does not match its annotation" in done.stdout
    done = run(*STRICT[:-1], "--types", "--", "main.py")
    assert "TypeCheckError: argument 'x' (str) is not an instance of int" in done.stderr
    assert done.returncode == 1


def test_guards_by_path_of_wrapt_still_come(
    leaking: None, write: Write, run: Run
) -> None:
    """A post-import hook of wrapt sees the module, whichever came first."""
    write(
        start=(
            "import wrapt\nfrom coroguard import strict_packages\n"
            "wrapt.when_imported('app.users')(lambda m: print(m.__name__))\n"
            "strict_packages('app')\nimport main\n"
        )
    )
    done = run("python", "start.py")
    assert done.stdout == "app.users\n"
    assert LEAKED in done.stderr


def test_unchecked_bytecode_is_not_taken_for_checked(write: Write, run: Run) -> None:
    """A module imported by a strict one is checked as soon as it is strict itself."""
    write(
        app__api="from lib import users",
        lib__users=USERS,
        main=("from app import api\napi.users.leak()"),
    )
    assert run(*STRICT, "main.py").returncode == 0
    both = (*STRICT[:-1], "--package", "lib", "--")
    assert LEAKED in run(*both, "main.py").stderr
    assert run("python", "main.py").returncode == 0
