from coroguard import CoroutineLeakError, guard


async def is_connected():
    return True


@guard(returns=bool)
def is_up():
    return is_connected()


try:
    is_up()
except CoroutineLeakError as error:
    assert error.leak.name == "is_connected"
