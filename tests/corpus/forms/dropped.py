"""Forms in which a coroutine is consumed inside, and a well-formed value comes back."""

import functools
import logging
import re
import types
from collections import defaultdict
from unittest.mock import AsyncMock

from .registry import form, is_connected
from .returned import AsyncCheck, Lazy, Manager, lossy

logger = logging.Logger("corpus")  # outside the tree: no test runner keeps records
logger.addHandler(logging.NullHandler())

dropped = functools.partial(form, "DROPPED")


@dropped()
def truth_test():
    if is_connected():
        return {"healthy": True}
    return {"healthy": False}


@dropped()
async def truth_test_in_async_check():
    if is_connected():
        return {"healthy": True}
    return {"healthy": False}


@dropped()
def negation():
    if not is_connected():
        return {"healthy": False}
    return {"healthy": True}


@dropped()
def conversion_to_bool():
    return {"healthy": bool(is_connected())}


@dropped()
def conjunction():
    return {"healthy": is_connected() and True}


@dropped()
def disjunction():
    return {"healthy": not (False or is_connected())}


@dropped()
def conditional_expression():
    return {"status": "up" if is_connected() else "down"}


@dropped()
def while_condition():
    while is_connected():
        break
    return {"healthy": True}


@dropped()
def assertion_by_hand():
    if not is_connected():
        raise AssertionError
    return {"healthy": True}


@dropped()
def equality():
    return {"healthy": is_connected() == True}  # noqa: E712


@dropped()
def inequality():
    return {"healthy": is_connected() != "error"}


@dropped()
def comparison_with_none():
    return {"healthy": is_connected() == None}  # noqa: E711


@dropped()
def identity_with_none():
    return {"healthy": is_connected() is not None}


@dropped()
def membership():
    return {"healthy": is_connected() in (True, "ok")}


@dropped()
def match_statement():
    match is_connected():
        case False:
            return {"healthy": False}
        case _:
            return {"healthy": True}


@dropped()
def isinstance_test():
    return {"healthy": not isinstance(is_connected(), Exception)}


@dropped()
def hasattr_test():
    return {"healthy": hasattr(is_connected(), "ping")}


@dropped()
def getattr_default():
    return {"healthy": getattr(is_connected(), "connected", True)}


@dropped()
def f_string():
    return {"summary": len(f"redis: {is_connected()}")}


@dropped()
def conversion_to_text():
    return {"summary": len(str(is_connected()))}


@dropped()
def percent_format():
    return {"summary": len("redis: %s" % is_connected())}  # noqa: UP031


@dropped()
def format_method():
    return {"summary": len("redis: {!r}".format(is_connected()))}  # noqa: UP032


@dropped()
def log_record():
    logger.warning("redis: %s", is_connected())
    return {"healthy": True}


@dropped()
def ignored_expression():
    is_connected()
    return {"healthy": True}


@dropped()
def ignored_through_helper():
    def ensure():
        is_connected()

    ensure()
    return {"healthy": True}


@dropped()
def ignored_assignment():
    connected = is_connected()  # noqa: F841
    return {"healthy": True}


@dropped()
def overwritten_assignment():
    connected = is_connected()
    connected = True
    return {"healthy": connected}


@dropped()
def deleted_assignment():
    connected = is_connected()
    del connected
    return {"healthy": True}


@dropped()
def discarded_list():
    states = [is_connected(name) for name in ("database", "redis")]
    return {"checked": len(states)}


@dropped()
def filtering_comprehension():
    return {"up": [name for name in ("database", "redis") if is_connected(name)]}


@dropped()
def any_of_generator():
    return {"healthy": any(is_connected(name) for name in ("database", "redis"))}


@dropped()
def all_of_list():
    return {"healthy": all([is_connected("database"), is_connected("redis")])}


@dropped()
def filter_predicate():
    return {"up": list(filter(is_connected, ["database", "redis"]))}


@dropped()
def mapped_for_effect():
    for _ in map(is_connected, ["database", "redis"]):
        pass
    return {"healthy": True}


@dropped()
def sum_of_states():
    return {"up": sum(1 for name in ("database", "redis") if is_connected(name))}


@dropped()
def registry_loop():
    for check in [lambda: True, is_connected]:
        if not check():
            return {"healthy": False}
    return {"healthy": True}


@dropped()
def callback_for_effect():
    callbacks = {"on_check": is_connected}
    callbacks["on_check"]("redis")
    return {"healthy": True}


@dropped()
def default_factory():
    states = defaultdict(is_connected)
    return {"healthy": bool(states["redis"])}


@dropped()
def substitution_callback():
    try:
        re.sub("redis", is_connected, "redis")
    except TypeError:
        pass
    return {"healthy": True}


@dropped(leaked="Manager.is_connected")
def method_truth_test():
    return {"healthy": not not Manager().is_connected()}


@dropped()
def property_truth_test():
    return {"healthy": True if Lazy().connected else False}


@dropped()
def partial_truth_test():
    return {"healthy": bool(functools.partial(is_connected, "redis")())}


@dropped(leaked="AsyncCheck.__call__")
def callable_object_truth_test():
    return {"healthy": bool(AsyncCheck()())}


@dropped()
def lossy_wrapper_truth_test():
    return {"healthy": bool(lossy(is_connected)())}


@dropped()
def lambda_truth_test():
    ping = lambda: is_connected()  # noqa: E731
    return {"healthy": bool(ping())}


@dropped(leaked="AsyncMockMixin._execute_mock_call")
def async_mock_truth_test():
    return {"healthy": bool(AsyncMock()())}


@dropped()
def stored_on_self():
    service = types.SimpleNamespace()
    service.connected = is_connected()
    return {"healthy": bool(service.connected)}


@dropped()
def closure():
    state = is_connected()

    def healthy():
        return bool(state)

    return {"healthy": healthy()}


@dropped()
def generator_inside():
    def states():
        yield is_connected()

    return {"healthy": all(states())}


@dropped()
def nested_sync_call():
    def healthy():
        return bool(is_connected())

    return {"healthy": healthy()}


@dropped()
async def nested_sync_call_of_async_check():
    def healthy():
        return bool(is_connected())

    return {"healthy": healthy()}


@dropped()
async def one_await_missing():
    first = await is_connected()
    second = is_connected()
    return {"healthy": first or bool(second)}


@dropped()
def recursion(depth=3):
    return {"healthy": bool(is_connected()) if depth == 0 else recursion(depth - 1)}
