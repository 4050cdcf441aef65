"""A guarded function keeps its type: colour, parameters, result, overloads."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypedDict, TypeVar, assert_type, overload

from coroguard import HealthReport, guard, mode

T = TypeVar("T")


class Row(TypedDict):
    id: int


@guard
def sync_check(user: str, /, *, deep: bool = False) -> dict[str, object]:
    return {"user": user, "deep": deep}


@guard
async def async_check(user: str, retries: int = 3) -> HealthReport:
    raise NotImplementedError((user, retries))


assert_type(sync_check("ada", deep=True), dict[str, object])
sync_check(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
sync_check(user="ada")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
sync_check("ada", True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def awaits() -> None:
    assert_type(await async_check("ada", retries=1), HealthReport)
    unawaited: Coroutine[Any, Any, HealthReport] = async_check("ada")
    await unawaited
    await async_check()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await sync_check("ada")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]


@guard(returns=Row)
def with_contract(key: int) -> Row:
    return {"id": key}


@guard(returns=Any)
async def leaks_only(*keys: int, **options: str) -> list[int]:
    return [*keys, len(options)]


@guard(returns=list[int] | None)
def with_special_form() -> list[int] | None:
    return None


@guard(mode="enforce", dropped=False, name="permission check")
def with_options(user: str) -> bool:
    return bool(user)


@guard()
def with_nothing() -> dict[str, object]:
    return {}


async def contracts() -> None:
    assert_type(with_contract(1), Row)
    assert_type(with_contract(key=1)["id"], int)
    assert_type(await leaks_only(1, 2, a="b"), list[int])
    assert_type(with_special_form(), list[int] | None)
    assert_type(with_options(user="ada"), bool)
    assert_type(with_nothing(), dict[str, object])


with_contract("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
guard(strict=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
guard("check")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


@guard
def promised(key: int) -> Awaitable[HealthReport]:
    return async_check(str(key))


async def promises() -> None:
    assert_type(promised(1), Awaitable[HealthReport])
    assert_type(await promised(1), HealthReport)


@overload
def either(key: int) -> int: ...
@overload
def either(key: str) -> str: ...
@guard(returns=int | str)
def either(key: int | str) -> int | str:
    return key


assert_type(either(1), int)
assert_type(either("1"), str)


@overload
def parse(text: str) -> int: ...
@overload
def parse(text: bytes) -> float: ...
def parse(text: str | bytes) -> float:
    return float(text) if isinstance(text, bytes) else int(text)


# The one that ParamSpec loses: overloads of a function that is guarded afterwards.
guarded_parse = guard(parse)
assert_type(guarded_parse("1"), int)
assert_type(guarded_parse(b"1"), float)

guarded_with_options = guard(returns=float)(parse)
assert_type(guarded_with_options("1"), int)
assert_type(guarded_with_options(b"1"), float)


@guard(returns=Any)
def generic(value: T) -> list[T]:
    return [value]


assert_type(generic(1), list[int])
assert_type(generic("a"), list[str])


class Service:
    @guard
    def method(self, user: str) -> dict[str, object]:
        return {"user": user}

    @guard
    async def amethod(self) -> HealthReport:
        raise NotImplementedError

    @classmethod
    @guard
    def inner_class_method(cls, key: int) -> dict[str, object]:
        return {"key": key}

    @guard
    @classmethod
    def outer_class_method(cls, key: int) -> dict[str, object]:
        return {"key": key}

    @staticmethod
    @guard
    def inner_static_method(key: int) -> dict[str, object]:
        return {"key": key}

    @guard
    @staticmethod
    def outer_static_method(key: int) -> dict[str, object]:
        return {"key": key}

    @property
    @guard(returns=bool)
    def connected(self) -> bool:
        return True


class Child(Service):
    @guard
    def method(self, user: str) -> dict[str, object]:
        return super().method(user)


async def methods(service: Service) -> None:
    assert_type(service.method("ada"), dict[str, object])
    assert_type(Service.method(service, user="ada"), dict[str, object])
    assert_type(await service.amethod(), HealthReport)
    assert_type(Service.inner_class_method(1), dict[str, object])
    assert_type(Service.outer_class_method(1), dict[str, object])
    assert_type(service.inner_static_method(key=1), dict[str, object])
    assert_type(Service.outer_static_method(key=1), dict[str, object])
    assert_type(service.connected, bool)
    service.method(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Probe:
    def __call__(self, deadline_s: float) -> bool:
        return deadline_s > 0


guarded_instance = guard(returns=bool)(Probe())
assert_type(guarded_instance(deadline_s=1.0), bool)

callback: Callable[[str], dict[str, object]] = sync_check
acallback: Callable[[str], Awaitable[HealthReport]] = async_check

with mode("strict"):
    guarded_later = guard(sync_check)
assert_type(guarded_later("ada"), dict[str, object])
