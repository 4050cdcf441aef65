"""The packages that are guarded as a whole, and the suites that are run."""

from __future__ import annotations

from dataclasses import dataclass

_NO_ASYNCIO = ("-p", "no:asyncio")


@dataclass(frozen=True, slots=True)
class Project:
    """A package and its suite.

    Args:
        name: Name of the distribution.
        tests: Arguments for pytest, relative to the source distribution.
        is_unpacked: Whether the tests are in the source distribution; else they
            are installed with the package, or in ``suites``.
        conftest: Settings that the suite expects from its own runner.
        needs_redis: Whether the suite is given the address of a Redis.
        imported_as: Name of the package, where it is not that of the distribution.
    """

    name: str
    tests: tuple[str, ...]
    is_unpacked: bool = True
    conftest: str = ""
    needs_redis: bool = False
    imported_as: str = ""

    @property
    def package(self) -> str:
        """The package whose functions are guarded."""
        return self.imported_as or self.name


PROJECTS = (
    Project("starlette", ("tests", *_NO_ASYNCIO)),
    Project("httpx", ("tests", *_NO_ASYNCIO)),
    Project(
        "anyio",
        # Its own options load its plugin once more.
        ("tests", "-m", "not network", "-o", "addopts=", "-p", "no:trio", *_NO_ASYNCIO),
    ),
    Project("aiosqlite", ("--pyargs", "aiosqlite.tests.smoke"), is_unpacked=False),
    Project("websockets", ("test_websockets.py", *_NO_ASYNCIO), is_unpacked=False),
    Project(
        "redis",
        (
            *(f"tests/test_asyncio/test_{name}.py" for name in ("lock", "pipeline")),
            *(f"tests/test_asyncio/test_{name}.py" for name in ("pubsub", "encoding")),
            "tests/test_asyncio/test_connection_pool.py",
        ),
        needs_redis=True,
    ),
    Project(
        "tornado",
        (
            *("--pyargs", "tornado.test", "-o", "python_files=*_test.py"),
            # It leaks on purpose, which raises in strict.
            *("-k", "not test_undecorated_coroutine", *_NO_ASYNCIO),
        ),
        is_unpacked=False,
        # Its tests fail where anything else is logged. Its own runner does the first.
        conftest="import logging, os\n"
        "os.environ['ASYNC_TEST_TIMEOUT'] = '120'  # of a busy machine\n"
        "os.environ['EMULATION'] = '1'  # for the same reason\n"
        "for name in ('tornado.access', 'coroguard', 'coroguard.leak'):\n"
        "    logging.getLogger(name).disabled = True\n",
    ),
    Project("sqlalchemy", ("test/ext/asyncio", "--db", "aiosqlite")),
    Project("hypercorn", ("tests", "-o", "addopts=")),
    Project(
        "uvicorn",
        (
            *("tests", "-o", "addopts=", "--ignore=tests/supervisors", *_NO_ASYNCIO),
            # It writes down all variables of its context, of which strict has one.
            *("-k", "not test_reset_contextvars"),
        ),
    ),
)

#: What the suites import besides the packages.
REQUIREMENTS = (
    *("pytest", "pytest-asyncio", "pytest-mock", "pytest-timeout", "blockbuster"),
    "pytest-codspeed",
    *("trio", "trustme", "truststore", "uvicorn", "uvloop", "hypothesis", "psutil"),
    *("httpx2[zstd]", "brotli", "zstandard", "chardet", "click", "rich", "h2"),
    *("itsdangerous", "jinja2", "opentelemetry-sdk", "python-multipart", "pyyaml"),
    *("cryptography", "pyjwt", "greenlet", "mock", "numpy"),
    *("a2wsgi", "httptools", "pytest-trio", "python-dotenv", "watchfiles", "wsproto"),
    *("pydantic", "typeguard", "wrapt"),
)
