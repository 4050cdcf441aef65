"""Messages of CPython 3.11 to 3.14 about the bug, word for word."""

COROUTINE_AS_VALUE = (
    "'coroutine' object has no attribute 'get'",
    "'async_generator' object has no attribute 'get'",
    "'coroutine' object is not subscriptable",
    "'async_generator' object is not subscriptable",
    "'coroutine' object is not iterable",
    "'async_generator' object is not iterable",
    "'coroutine' object is not callable",
    "'coroutine' object is not an iterator",
    "'coroutine' object is not a mapping",
    "'coroutine' object does not support item assignment",
    "'coroutine' object does not support item deletion",
    "'coroutine' object does not support the context manager protocol",
    "'coroutine' object does not support the asynchronous context manager protocol",
    "'coroutine' object cannot be interpreted as an integer",
    "object of type 'coroutine' has no len()",
    "argument of type 'coroutine' is not iterable",
    "argument of type 'coroutine' is not a container or iterable",
    "cannot unpack non-iterable coroutine object",
    "Object of type coroutine is not JSON serializable",
    "'<' not supported between instances of 'coroutine' and 'int'",
    "'>=' not supported between instances of 'int' and 'coroutine'",
    "unsupported operand type(s) for +: 'coroutine' and 'int'",
    "unsupported operand type(s) for +=: 'int' and 'coroutine'",
    'can only concatenate str (not "coroutine") to str',
    "sequence item 0: expected str instance, coroutine found",
    "int() argument must be a string, a bytes-like object or a real number, "
    "not 'coroutine'",
    "'async for' requires an object with __aiter__ method, got coroutine",
)

NEVER_AWAITED = (
    "coroutine 'is_connected' was never awaited",
    "coroutine 'Manager.is_connected' was never awaited",
    "RuntimeWarning: coroutine 'AsyncMockMixin._execute_mock_call' was never awaited",
)

REPRESENTED = (
    "<coroutine object is_connected at 0x7f5c3c0b9a40>",
    "<coroutine object Manager.is_connected at 0x10a2b3c40>",
    "redis: <coroutine object check.<locals>.ping at 0x000001F2A3B4C5D0>",
    "<async_generator object stream at 0x7f5c3c0b9a40>",
)

PLAIN_AWAITED = (
    "object dict can't be used in 'await' expression",
    "object NoneType can't be used in 'await' expression",
    "object MagicMock can't be used in 'await' expression",
    "'dict' object can't be awaited",
)

WORDINGS = COROUTINE_AS_VALUE + NEVER_AWAITED + REPRESENTED + PLAIN_AWAITED
