from coroguard import CoroutineLeakError, LeakKind, guard


async def check():
    return {}


@guard
def health():
    return check()


try:
    health()
except CoroutineLeakError as error:
    assert error.leak.kind is LeakKind.RETURNED
    assert isinstance(error, TypeError)
