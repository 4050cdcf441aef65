"""Guards on the functions of routes: below the framework's decorator, not above."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from coroguard import CoroutineLeakError, GuardUsageError

Make = Callable[[str], Any]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Import a module that is written here, and forget it."""

    def made(text: str) -> Any:
        file = tmp_path / "routes_of_a_test.py"
        file.write_text(textwrap.dedent(text))
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = module
        spec.loader.exec_module(module)
        return module

    yield made
    sys.modules.pop("routes_of_a_test", None)


FRAMEWORKS = {
    "fastapi": ("from fastapi import FastAPI; app = FastAPI()", "app.get('/h')"),
    "fastapi router": (
        "from fastapi import APIRouter; router = APIRouter()",
        "router.post('/h', status_code=201)",
    ),
    "fastapi handler": (
        "from fastapi import FastAPI; app = FastAPI()",
        "app.exception_handler(KeyError)",
    ),
    "flask": ("from flask import Flask; app = Flask('app')", "app.route('/h')"),
    "flask hook": ("from flask import Flask; app = Flask('app')", "app.before_request"),
    "aiohttp": (
        "from aiohttp import web; routes = web.RouteTableDef()",
        "routes.get('/h')",
    ),
    "litestar": ("import litestar", "litestar.get('/h', sync_to_thread=False)"),
}
GUARDS = ["guard", "guard(returns=bool)", "coroguard.guard"]


def needs(name: str) -> None:
    if not find_spec(name.split()[0]):
        pytest.skip(f"{name.split()[0]} is not installed")


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_guard_above_a_route_is_refused(make: Make, name: str, guard: str) -> None:
    """Above the framework's decorator a guard would be without effect."""
    needs(name)
    setup, decorator = FRAMEWORKS[name]
    text = "put @guard below"
    with pytest.raises(GuardUsageError, match=text) as refused:
        make(f"""
            import coroguard
            from coroguard import guard
            {setup}

            @{guard}
            @{decorator}
            def is_up() -> bool:
                return True
        """)
    if name != "litestar":
        assert "routes_of_a_test.py:7) has registered it" in str(refused.value)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_guard_below_a_route_is_right(make: Make, name: str) -> None:
    """Below the framework's decorator, requests reach the guarded function."""
    needs(name)
    setup, decorator = FRAMEWORKS[name]
    made = make(f"""
        from coroguard import guard
        {setup}

        @{decorator}
        @guard
        def is_up() -> bool:
            return True
    """)
    assert made.is_up is not None


def test_guarded_route_is_guarded(make: Make) -> None:
    """A request to a guarded route that leaks gets the error of the guard."""
    needs("flask")
    made = make("""
        from flask import Flask
        from coroguard import guard

        app = Flask("app")
        app.testing = True

        async def is_up():
            return True

        @app.route("/h")
        @guard
        def health() -> bool:
            return is_up()
    """)
    with pytest.raises(CoroutineLeakError):
        made.app.test_client().get("/h")


def test_guard_above_a_route_of_a_local_application(make: Make) -> None:
    """In a function that makes an application, the path gives the route away."""
    needs("flask")
    made = make("""
        from flask import Flask
        from coroguard import guard

        def create_app():
            app = Flask("app")

            @guard
            @app.get("/h")
            def is_up() -> bool:
                return True

            return app
    """)
    with pytest.raises(GuardUsageError, match=r"@app.get .* has registered it"):
        made.create_app()


CORRECT = {
    "a registry of the program's own": """
        import flask
        from coroguard import guard

        class Registry(dict):
            def get(self, name):
                return lambda function: self.setdefault(name, function)

        registry = Registry()

        @guard
        @registry.get("/a")
        def is_up() -> bool:
            return True
    """,
    "a decorator that makes another function": """
        import flask, functools
        from coroguard import guard

        def get(path):
            def decorate(function):
                @functools.wraps(function)
                def call():
                    return function()
                return call
            return decorate

        class api: ...
        api.get = staticmethod(get)

        @guard
        @api.get("/a")
        def is_up() -> bool:
            return True
    """,
    "a mark of aiohttp": """
        import aiohttp.web as web
        from coroguard import guard
        from typing import Any

        @guard(returns=Any)
        @web.middleware
        async def middleware(request, handler):
            return await handler(request)
    """,
    "a call of the guard above another route": """
        import flask
        from coroguard import guard

        app = flask.Flask("app")

        def is_up() -> bool:
            return True

        check = guard(is_up)
        @app.get("/h")
        def health():
            return str(check())

        always = guard(returns=bool)(lambda: True)
        @app.get("/a")
        def always_up():
            return str(always())
    """,
    "a guard between two decorators": """
        import flask
        from coroguard import guard

        app = flask.Flask("app")

        @app.route("/a")
        @guard
        @(lambda function: function)
        def is_up() -> bool:
            return True
    """,
    "a guard that is put on later": """
        import flask
        from coroguard import guard

        app = flask.Flask("app")

        def is_up() -> bool:
            return True

        app.route("/a")(is_up)
        checked = guard(is_up)
    """,
    "a local registry": """
        import flask
        from coroguard import guard

        def create():
            known = type("R", (), {"get": lambda self, name: lambda f: f})()

            @guard
            @known.get("a")
            def is_up() -> bool:
                return True

        create()
    """,
}


@pytest.mark.parametrize("text", CORRECT.values(), ids=CORRECT)
def test_correct_programs_are_left_alone(make: Make, text: str) -> None:
    """What only looks like a route is guarded as ever."""
    needs("flask")
    needs("aiohttp")
    make(text)
