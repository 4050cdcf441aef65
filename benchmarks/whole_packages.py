"""Real packages, bare and under wide patterns and strict packages, side by side.

Each program prints what it did; with guards it has to print the same. Run it with an
interpreter that has coroguard and the packages:

    python benchmarks/whole_packages.py [PACKAGE]...
"""

# ruff: noqa: E501 - lines of programs

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time

PROGRAMS = {
    "aiohttp": """
        import asyncio
        from aiohttp import ClientSession, web
        async def hello(request):
            return web.json_response({"name": request.match_info["name"]})
        async def main():
            app = web.Application()
            app.router.add_get("/{name}", hello)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = site._server.sockets[0].getsockname()[1]
            async with ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/ada") as response:
                    print(response.status, await response.json())
            await runner.cleanup()
        asyncio.run(main())
    """,
    "anyio": """
        import anyio
        async def work(n, results):
            await anyio.sleep(0)
            results.append(n)
        async def main():
            results = []
            async with anyio.create_task_group() as group:
                for n in range(3):
                    group.start_soon(work, n, results)
            send, receive = anyio.create_memory_object_stream(1)
            async with send, receive:
                await send.send("x")
                results.append(await receive.receive())
            results.append(await anyio.to_thread.run_sync(lambda: "thread"))
            with anyio.move_on_after(0.01) as scope:
                await anyio.sleep(5)
            print(sorted(map(str, results)), scope.cancelled_caught)
        anyio.run(main)
        anyio.run(main, backend="trio")
    """,
    "attr": """
        import attr
        @attr.s(auto_attribs=True, slots=True, frozen=True)
        class Point:
            x: int = attr.ib(validator=attr.validators.instance_of(int))
            y: int = 0
        point = Point(1)
        print(point, attr.asdict(point), attr.evolve(point, y=3), {point: 1}[Point(1)])
        try: Point("1")
        except TypeError as error: print(str(error)[:40])
    """,
    "click": """
        import click
        from click.testing import CliRunner
        @click.group()
        def cli(): pass
        @cli.command()
        @click.option("--count", default=1, type=click.IntRange(1, 5))
        @click.argument("name")
        def hello(count, name):
            for _ in range(count): click.echo(f"Hello {name}")
        run = CliRunner().invoke
        print(run(cli, ["hello", "--count", "2", "ada"]).output)
        print(run(cli, ["hello", "--count", "9", "ada"]).output, run(cli, ["--help"]).output)
    """,
    "django": """
        import asyncio, django
        from django.conf import settings
        settings.configure(DEBUG=True, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
            SECRET_KEY="x", PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
        django.setup()
        from django.core.management import call_command
        from django.http import JsonResponse
        from django.test import Client, AsyncClient
        from django.urls import path
        def view(request, n): return JsonResponse({"n": n})
        async def aview(request): return JsonResponse({"async": True})
        urlpatterns = [path("v/<int:n>", view), path("a", aview)]
        call_command("migrate", verbosity=0)
        from django.contrib.auth.models import User
        User.objects.create_user("ada", password="x")
        print(User.objects.filter(username__startswith="a").count(), User.objects.get().check_password("x"))
        print(Client().get("/v/3").content, Client().get("/a").content, Client().get("/no").status_code)
        print(asyncio.run(AsyncClient().get("/a")).content)
    """,
    "fastapi": """
        from typing import Annotated
        from fastapi import Depends, FastAPI
        from fastapi.testclient import TestClient
        from pydantic import BaseModel
        class Item(BaseModel):
            name: str
        app = FastAPI()
        async def user(): return "ada"
        @app.post("/items")
        async def create(item: Item, user: Annotated[str, Depends(user)]) -> Item:
            return item
        @app.get("/sync/{n}")
        def read(n: int): return {"n": n}
        client = TestClient(app)
        print(client.post("/items", json={"name": "x"}).json(), client.get("/sync/1").json())
        print(client.get("/sync/x").status_code, sorted(client.get("/openapi.json").json()["paths"]))
    """,
    "flask": """
        from flask import Flask, g, request, session
        app = Flask("x")
        app.secret_key = "x"
        @app.before_request
        def before(): g.user = "ada"
        @app.route("/<name>", methods=["GET", "POST"])
        def hello(name):
            session["seen"] = True
            return {"name": name, "user": g.user, "method": request.method}
        client = app.test_client()
        print(client.get("/x").json, client.post("/y").json, client.get("/a/b").status_code)
    """,
    "httpx": """
        import asyncio, httpx
        def answer(request): return httpx.Response(200, json={"path": request.url.path})
        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            print(client.get("http://x/a").json(), client.post("http://x/b", json={}).status_code)
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 201, "headers": []})
            await send({"type": "http.response.body", "body": b"hello"})
        async def main():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                async with client.stream("GET", "/") as response:
                    print(response.status_code, await response.aread())
        asyncio.run(main())
    """,
    "jinja2": """
        import asyncio
        from jinja2 import DictLoader, Environment
        env = Environment(loader=DictLoader({"a": "{% block b %}{{ x|upper }}{% endblock %}",
            "c": "{% extends 'a' %}{% block b %}{{ super() }}!{% for i in y %}{{ loop.index }}{% endfor %}{% endblock %}"}))
        print(env.get_template("c").render(x="ada", y=[1, 2]))
        async def rows():
            for i in range(2): yield i
        aenv = Environment(enable_async=True)
        made = aenv.from_string("{% for i in rows() %}{{ i }}{% endfor %}")
        print(asyncio.run(made.render_async(rows=rows)))
    """,
    "pydantic": """
        from typing import Generic, TypeVar
        from pydantic import BaseModel, Field, TypeAdapter, ValidationError, computed_field, field_validator
        T = TypeVar("T")
        class Box(BaseModel, Generic[T]):
            item: T
        class Model(BaseModel):
            x: int = Field(gt=0)
            @field_validator("x")
            @classmethod
            def even(cls, value): return value * 2
            @computed_field
            @property
            def y(self) -> int: return self.x
        print(Model(x=1).model_dump(), Box[int](item="1"), sorted(Model.model_json_schema()))
        try: Model(x=0)
        except ValidationError as error: print(error.error_count())
        print(TypeAdapter(list[int]).validate_python(["1"]), Model.model_validate_json('{"x": 3}'))
    """,
    "redis": """
        import asyncio, fakeredis, redis, redis.asyncio
        client = fakeredis.FakeRedis()
        client.set("a", 1); client.incr("a")
        with client.pipeline() as pipe:
            pipe.set("b", 2); pipe.get("b")
            print(client.get("a"), pipe.execute())
        async def main():
            client = fakeredis.FakeAsyncRedis()
            await client.set("a", 1)
            async with client.pipeline() as pipe:
                pipe.get("a")
                print(await pipe.execute(), await client.keys("*"))
            await client.aclose()
        asyncio.run(main())
        print(redis.ConnectionPool.from_url("redis://x:1/2").connection_kwargs["db"])
    """,
    "rich": """
        import io
        from rich.console import Console
        from rich.markdown import Markdown
        from rich.progress import track
        from rich.table import Table
        console = Console(file=io.StringIO(), width=60)
        table = Table(title="T")
        table.add_column("a"); table.add_row("[bold]x[/]")
        console.print(table); console.print(Markdown("# h"), {"a": [1]})
        for _ in track(range(2), console=console): pass
        try: 1 / 0
        except ZeroDivisionError: console.print_exception()
        print(console.file.getvalue().partition("Working")[0])
    """,
    "sqlalchemy": """
        import asyncio
        from sqlalchemy import ForeignKey, create_engine, func, select
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
        class Base(DeclarativeBase): pass
        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str]
            rows: Mapped[list["Row"]] = relationship(back_populates="user")
        class Row(Base):
            __tablename__ = "rows"
            id: Mapped[int] = mapped_column(primary_key=True)
            user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
            user: Mapped[User] = relationship(back_populates="rows")
        engine = create_engine("sqlite://")
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(User(name="ada", rows=[Row(), Row()])); session.commit()
            print(session.scalar(select(func.count()).select_from(Row)), session.scalars(select(User)).one().name)
            print(select(User).join(Row).where(User.name == "x"))
        async def main():
            engine = create_async_engine("sqlite+aiosqlite://")
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            async with AsyncSession(engine) as session:
                session.add(User(name="bob")); await session.commit()
                print((await session.scalars(select(User.name))).all())
            await engine.dispose()
        asyncio.run(main())
    """,
    "starlette": """
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse, StreamingResponse
        from starlette.routing import Route, WebSocketRoute
        from starlette.testclient import TestClient
        from starlette.middleware import Middleware
        from starlette.middleware.gzip import GZipMiddleware
        async def hello(request): return JSONResponse({"q": dict(request.query_params)})
        def plain(request): return StreamingResponse(iter(["a", "b"]))
        async def chat(socket):
            await socket.accept(); await socket.send_text(await socket.receive_text()); await socket.close()
        app = Starlette(routes=[Route("/", hello), Route("/s", plain), WebSocketRoute("/w", chat)],
            middleware=[Middleware(GZipMiddleware)])
        with TestClient(app) as client:
            print(client.get("/?a=1").json(), client.get("/s").text, client.get("/x").status_code)
            with client.websocket_connect("/w") as socket:
                socket.send_text("hi"); print(socket.receive_text())
    """,
    "structlog": """
        import structlog
        structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()],
            logger_factory=structlog.PrintLoggerFactory())
        structlog.get_logger().bind(a=1).info("hello", b=2)
    """,
    "tornado": """
        import asyncio, tornado.httpclient, tornado.httpserver, tornado.testing, tornado.web
        class Hello(tornado.web.RequestHandler):
            async def get(self, name): self.write({"name": name})
        async def main():
            app = tornado.web.Application([(r"/(.*)", Hello)])
            server = tornado.httpserver.HTTPServer(app)
            sockets = tornado.testing.bind_unused_port()
            server.add_sockets([sockets[0]])
            client = tornado.httpclient.AsyncHTTPClient()
            response = await client.fetch(f"http://127.0.0.1:{sockets[1]}/ada")
            print(response.code, response.body)
            server.stop()
        asyncio.run(main())
    """,
    "trio": """
        import trio
        async def main():
            send, receive = trio.open_memory_channel(0)
            async def produce():
                async with send:
                    for n in range(3): await send.send(n)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(produce)
                print([n async for n in receive], await trio.to_thread.run_sync(lambda: 1))
            with trio.move_on_after(0.01) as scope: await trio.sleep_forever()
            print(scope.cancelled_caught)
        trio.run(main)
    """,
    "websockets": """
        import asyncio
        from websockets.asyncio.client import connect
        from websockets.asyncio.server import serve
        async def echo(socket):
            async for message in socket: await socket.send(message.upper())
        async def main():
            async with serve(echo, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                async with connect(f"ws://127.0.0.1:{port}") as socket:
                    await socket.send("hi"); print(await socket.recv())
        asyncio.run(main())
    """,
    "werkzeug": """
        from werkzeug.routing import Map, Rule
        from werkzeug.test import Client
        from werkzeug.wrappers import Request, Response
        @Request.application
        def app(request):
            url = Map([Rule("/<int:n>", endpoint="n")]).bind_to_environ(request.environ)
            return Response(f"{url.match()} {request.args.get('a')}")
        print(Client(app).get("/3?a=1").text)
    """,
}
# A distribution whose packages have to be guarded together.
WITH = {"attr": ("attr", "attrs"), "fastapi": ("fastapi", "starlette")}

EVENTS = """
import atexit as _atexit, sys as _sys, coroguard as _coroguard
_events = []
_coroguard.subscribe(_events.append)
def _tell():
    print(f"@ {len(_events)} events", file=_sys.stderr)
    for _it in _events[:8]: print("@", str(_it.error).replace(chr(10), " ")[:300], file=_sys.stderr)
_atexit.register(_tell)
"""
PATTERN = "import coroguard\ncoroguard.protect(*{paths!r})\n"
COUNT = """
import sys as _sys
from coroguard import bindings as _bindings
from coroguard.bindings import protection as _protection
_put = sum(len(it.put) for it in _protection._protections.values())
_lost = _bindings.verify(ended=True)
print(f"@ {_put} guards, {len(_bindings.bare())} bare, {len(_lost)} findings", file=_sys.stderr)
for _it in _lost[:5]: print("@", str(_it).partition(chr(10))[0], file=_sys.stderr)
"""


def run(command: list[str], code: str, **env: str) -> tuple[str, str, float]:
    """Run a program; return what it printed, what is wrong, and its seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "-c", code],
        env={**os.environ, "PYTHONWARNINGS": "ignore", **env},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return (
        f"{done.stdout}exit {done.returncode}",
        done.stderr,
        time.perf_counter() - started,
    )


def main(names: list[str]) -> int:
    """Run the programs and print a line for each; return 1 if one differs."""
    wrong = 0
    for name in names or PROGRAMS:
        code = textwrap.dedent(PROGRAMS[name])
        packages = WITH.get(name, (name,))
        paths = [
            f"{it}{rest}"
            for it in packages
            for rest in (":*", ".*:*", ":*.*", ".*:*.*")
        ]
        bare, _, bare_s = run([sys.executable], code)
        options = [it for package in packages for it in ("--package", package)]
        strict = [sys.executable, "-m", "coroguard", "run", "--strict", *options, "--"]
        held = {
            "pattern": run(
                [sys.executable],
                EVENTS + PATTERN.format(paths=paths) + code + COUNT,
                COROGUARD_MODE="strict",
            ),
            "strict": run([*strict, sys.executable], EVENTS + code),
        }
        for how, (printed, errors, seconds) in held.items():
            same = "same" if printed == bare else "OTHER"
            wrong += printed != bare
            facts = [it[2:] for it in errors.splitlines() if it.startswith("@ ")]
            print(
                f"{name:<12} {how:<8} {same}  {seconds / bare_s:4.1f}x  {facts[0] if facts else ''}"
            )
            for fact in facts[1:]:
                print(f"    {fact}")
            if printed != bare:
                print(textwrap.indent(printed[-600:] + errors[-1500:], "    "))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
