"""Requests of Django, watched for leaks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.signals import got_request_exception

from ..._runtime import drops
from ..._runtime.scopes import Request
from .requests import (
    REQUEST_ID,
    RequestScope,
    explain_here,
    marked_function,
    method_of,
    name_of,
    valid_id,
)
from .streams import AsyncStream, Stream

if TYPE_CHECKING:
    from .requests import Hooks

__all__ = ["WatchMiddleware"]


def _watching(hooks: Hooks) -> Any:
    def call(self: WatchMiddleware, request: Any) -> Any:
        if self.is_async:
            return self.acall(request)
        with hooks.watched(_DjangoScope, request, REQUEST_ID) as scope:
            return _streamed(self.get_response(request), scope)

    return call


def _awatching(hooks: Hooks) -> Any:
    async def acall(self: WatchMiddleware, request: Any) -> Any:
        with hooks.watched(_DjangoScope, request, REQUEST_ID) as scope:
            return _streamed(await self.get_response(request), scope)

    return acall


class WatchMiddleware:
    """Watch every request, sync or async; put it first in ``MIDDLEWARE``.

    Django answers an exception itself, so that no middleware sees one: its signal
    does. Streaming responses are watched to their end.

    Args:
        get_response: The rest of Django.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        drops.install()
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)  # pyright: ignore[reportDeprecated]
        if self.is_async:
            markcoroutinefunction(self)
        got_request_exception.connect(_explain, dispatch_uid=__name__)

    __call__ = marked_function(_watching)
    acall = marked_function(_awatching)


class _DjangoScope(RequestScope):
    """The scope of a request of Django."""

    def described(self) -> tuple[Request, str]:
        request, match = self.subject, self.subject.resolver_match
        known = Request(
            method_of(request.method),
            f"/{match.route}" if match is not None and match.route is not None else "",
            valid_id(request.headers.get(self.id_name)),
        )
        return known, name_of(known, match.view_name if match is not None else "")


def _streamed(response: Any, scope: RequestScope | None) -> Any:
    """Watch the body of a streaming response; files are sent as they are."""
    is_streamed = getattr(response, "streaming", False)
    if scope is not None and is_streamed and not hasattr(response, "file_to_stream"):
        parts = response.streaming_content
        kind: Any = AsyncStream if response.is_async else Stream
        response.streaming_content = kind(parts, scope)
    return response


def _explain(sender: object, **named: Any) -> None:  # noqa: ARG001
    exception = sys.exception()
    if exception is not None:
        explain_here(exception)
