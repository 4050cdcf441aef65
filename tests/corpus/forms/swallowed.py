"""Forms in which the check's own `except` turns the crash into an ordinary value."""

import contextlib
import functools
import json

from .registry import form, is_connected
from .returned import stream

dropped = functools.partial(form, "DROPPED")
symptom = functools.partial(form, "SYMPTOM")


@dropped()
def swallowed_attribute_error():
    try:
        return {"healthy": is_connected().get("connected")}
    except AttributeError:
        return {"healthy": False}


@dropped()
def swallowed_broadly():
    try:
        return {"healthy": is_connected()["connected"]}
    except Exception:
        return {"healthy": False}


@dropped()
def swallowed_with_bare_except():
    try:
        return {"healthy": is_connected() > 0}
    except:  # noqa: E722
        return {"healthy": False}


@dropped()
def suppressed():
    with contextlib.suppress(TypeError):
        return {"count": len(is_connected())}
    return {"count": 0}


@dropped()
def swallowed_iteration():
    try:
        return {"names": [*is_connected()]}
    except TypeError:
        return {"names": []}


@dropped()
def swallowed_unpacking():
    try:
        connected, latency = is_connected()
    except TypeError:
        connected, latency = False, 0
    return {"healthy": connected, "latency": latency}


@dropped()
def swallowed_json():
    try:
        return {"body": json.dumps({"connected": is_connected()})}
    except TypeError:
        return {"body": "{}"}


@dropped()
def json_with_default():
    return {"size": len(json.dumps({"connected": is_connected()}, default=str))}


@dropped()
def swallowed_sorting():
    try:
        return {"order": sorted(["database", "redis"], key=is_connected)}
    except TypeError:
        return {"order": []}


@dropped()
def swallowed_maximum():
    try:
        return {"worst": max(["database", "redis"], key=is_connected)}
    except TypeError:
        return {"worst": None}


@dropped()
def swallowed_with_statement():
    try:
        with is_connected():
            return {"healthy": True}
    except (TypeError, AttributeError):
        return {"healthy": False}


@dropped()
def swallowed_join():
    try:
        return {"summary": ", ".join([is_connected()])}
    except TypeError:
        return {"summary": ""}


@dropped()
def swallowed_sum():
    try:
        return {"up": sum([is_connected()])}
    except TypeError:
        return {"up": 0}


@dropped()
def swallowed_call():
    try:
        return {"healthy": is_connected()()}
    except TypeError:
        return {"healthy": False}


@dropped()
async def swallowed_precedence():
    try:
        return {"healthy": await is_connected().get("connected")}
    except AttributeError:
        return {"healthy": False}


@dropped()
async def swallowed_async_with():
    try:
        async with is_connected():
            return {"healthy": True}
    except (TypeError, AttributeError):
        return {"healthy": False}


@dropped()
async def swallowed_async_for():
    try:
        return {"rows": [row async for row in is_connected()]}
    except TypeError:
        return {"rows": []}


@symptom(leaked=None)
def text_of_attribute_error():
    try:
        return {"healthy": is_connected().get("connected")}
    except AttributeError as error:
        return {"healthy": False, "error": str(error)}


@symptom()
def text_of_coroutine():
    return {"healthy": True, "detail": f"redis: {is_connected()}"}


@symptom(leaked=None)
def text_of_async_generator_error():
    try:
        return {"healthy": stream()["connected"]}
    except TypeError as error:
        return {"healthy": False, "errors": [f"redis: {error}"]}


@symptom(leaked=None)
async def text_of_plain_await():
    try:
        return {"healthy": await {"connected": True}}
    except TypeError as error:
        return {"healthy": False, "error": str(error)}


@symptom(leaked=None)
async def text_of_await_of_none():
    try:
        await None
    except Exception as error:
        return {"healthy": False, "error": repr(error)}
    return {"healthy": True}
