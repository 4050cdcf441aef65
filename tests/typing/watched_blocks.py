"""A watch yields its leaks, as context manager and as decorator, in both colours."""

from typing import assert_type

from coroguard import Leak, watch


def block() -> None:
    with watch() as leaks:
        assert_type(leaks, list[Leak])
    assert_type([leak.name for leak in leaks], list[str])
    with watch(mode="observe", name="start-up") as leaks:
        pass


async def ablock() -> None:
    async with watch() as leaks:
        assert_type(leaks, list[Leak])


@watch()
def decorated(user: str, *, deep: bool = False) -> int:
    return len(user) + deep


@watch(mode="strict")
async def adecorated(user: str) -> int:
    return len(user)


async def calls() -> None:
    assert_type(decorated("ada", deep=True), int)
    assert_type(await adecorated(user="ada"), int)
    decorated(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def never_swallows() -> int:
    with watch():
        return 1
    # A context manager that might swallow would make this line reachable, and the
    # checkers would ask for a return here.
