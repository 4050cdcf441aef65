"""Bodies of responses, watched while the server asks for their parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .requests import marked_function

if TYPE_CHECKING:
    from .requests import Hooks, RequestScope


def _next_of(hooks: Hooks) -> Any:
    def next_part(self: Stream) -> Any:
        hooks.reopened(self.request)
        is_last = False
        try:
            if self.parts is None:
                self.parts = iter(self.body)
            return next(self.parts)
        except StopIteration:
            is_last = True
            raise
        except BaseException as error:
            self.request.explain(error)
            raise
        finally:
            self.request.pause()
            if is_last:
                self.finished()

    return next_part


def _anext_of(hooks: Hooks) -> Any:
    async def next_part(self: AsyncStream) -> Any:
        hooks.reopened(self.request)
        in_context, is_last = True, False
        try:
            return await anext(self.parts)
        except StopAsyncIteration:
            is_last = True
            raise
        except BaseException as error:
            in_context = not isinstance(error, GeneratorExit)
            self.request.explain(error)
            raise
        finally:
            self.request.pause(in_context=in_context)
            if is_last:
                self.request.end()

    return next_part


class Stream:
    """A body of parts, each made in the scope of its request.

    Between two parts, the context of the server is as it was.

    Args:
        body: The body.
        request: The scope of its request, which goes on.
    """

    def __init__(self, body: Iterable[bytes], request: RequestScope) -> None:
        request.goes_on = True
        self.body = body
        self.request = request
        self.parts: Iterator[bytes] | None = None

    def __iter__(self) -> Stream:
        return self

    def finished(self) -> None:
        """Close the scope after the last part."""
        self.request.end()

    __next__ = marked_function(_next_of)


class AsyncStream:
    """The same of an asynchronous body.

    Args:
        parts: The iterator of the body.
        request: The scope of its request, which goes on.
    """

    def __init__(self, parts: AsyncIterator[bytes], request: RequestScope) -> None:
        request.goes_on = True
        self.parts = parts
        self.request = request

    def __aiter__(self) -> AsyncStream:
        return self

    __anext__ = marked_function(_anext_of)
