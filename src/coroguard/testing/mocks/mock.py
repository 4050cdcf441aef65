"""Mocks whose callables keep the colours of their original."""

# The standard create_autospec() chooses the classes of its children itself, and
# what their calls give is async all the way down, or sync. So the children are
# made here, when they are first asked for, each by the colour of its original.

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Self
from unittest.mock import AsyncMock, MagicMock, NonCallableMagicMock, NonCallableMock

from ..._inspect.awaitables import class_of
from ..._inspect.colours import Colour
from ..errors import usage_error
from .members import ABSENT, Member, member_of, names_of, whole
from .teaching import (
    refuse_attribute,
    refuse_result,
    refuse_return_value,
    refuse_side_effect,
)


def mock_of(original: Any, **options: Any) -> Any:
    """Make a mock whose callables keep the colours of the original's.

    The mock of a coroutine function gives an awaitable of its ``return_value``,
    that of a sync function the ``return_value`` itself, that of an async generator
    function an async iterator over it, and that of an ``asynccontextmanager`` an
    object that ``async with`` enters to get it. A sync facade that is annotated to
    return an awaitable is async. Where it may be either, a call gives the
    configured value as it is; assign an ``AsyncMock`` where that is awaited. The
    result of a call is a mock of the class that the annotation names, where that
    is known without running code. Names that the original does not have, and
    calls that do not fit its signature, are refused.

    Args:
        original: A class, an object, a module or a function. The mock of a
            class stands for the class and, without a call, for an instance.
        **options: As for ``configure_mock``: ``return_value``, ``side_effect``,
            attributes, and ``**{"check.return_value": 1}``.

    Raises:
        GuardUsageError: It is a mock already. From the mock: it is given a value
            that has the wrong colour; the message shows the fix.
    """
    if issubclass(type(original), NonCallableMock):
        raise usage_error(
            "mock_of() needs the original, and this is a mock of it; "
            "write mock_of(TheClass)."
        )
    mock = _mock(whole(original), {})
    mock.configure_mock(**options)
    return mock


@dataclass(frozen=True, slots=True)
class _Kept:
    """The original of a mock, and the object whose member it is."""

    member: Member
    parent: Any


class _Keeping(NonCallableMock):
    """Make children of the right colour, and refuse to be taught a wrong one."""

    _cg_keeps_its_colours = True
    _cg: _Kept | None = None

    def _get_child_mock(self, /, **kw: Any) -> Any:
        if self._cg is None or self._mock_sealed:
            return super()._get_child_mock(**kw)
        name = kw.get("_new_name")
        if name == "()":
            return _given(self._cg, kw)
        return _mock(member_of(self._cg.member, str(name)), kw, parent=self)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._cg is not None:
            _check(self._cg.member, name, value)
        super().__setattr__(name, value)

    def _cg_bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Refuse a call that does not fit the original, as Python would."""
        signature = self._cg.member.signature if self._cg else None
        if signature is not None:
            signature.bind(*args, **kwargs)

    def _cg_result(self, value: Any) -> Any:
        member = self._cg.member if self._cg else None
        return refuse_result(member.colour, member.label, value) if member else value


class ObjectMock(_Keeping, NonCallableMagicMock):
    """A mock of an object that cannot be called."""


class SyncMock(_Keeping, MagicMock):
    """A mock of a class, or of a callable that returns its value directly."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return ``return_value``."""
        self._cg_bind(args, kwargs)
        return self._cg_result(super().__call__(*args, **kwargs))


class EitherMock(_Keeping, MagicMock):
    """A mock of a callable whose result may also be awaited."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Awaitable[Any] | Any:
        """Return ``return_value`` as it is."""
        self._cg_bind(args, kwargs)
        return super().__call__(*args, **kwargs)


class CoroutineMock(_Keeping, AsyncMock):
    """A mock of a callable that returns an awaitable."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Return a coroutine that returns ``return_value``."""
        self._cg_bind(args, kwargs)
        coroutine: CoroutineType[Any, Any, Any] = super().__call__(*args, **kwargs)
        if self._cg is not None:
            coroutine.__qualname__ = self._cg.member.label
        return coroutine

    async def _execute_mock_call(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._cg_result(await super()._execute_mock_call(*args, **kwargs))


class IteratorMock(_Keeping, MagicMock):
    """A mock of a callable that returns an async iterator."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Return an async iterator over ``return_value``."""
        self._cg_bind(args, kwargs)
        return _items(self._cg_result(super().__call__(*args, **kwargs)))


class ContextMock(_Keeping, MagicMock):
    """A mock of a callable that returns an async context manager."""

    def __call__(
        self, /, *args: Any, **kwargs: Any
    ) -> AbstractAsyncContextManager[Any]:
        """Return an async context manager that enters as ``return_value``."""
        self._cg_bind(args, kwargs)
        return _entered(self._cg_result(super().__call__(*args, **kwargs)))


class _Awaitable(MagicMock):
    """A mock whose ``await`` returns itself."""

    def __await__(self) -> Generator[None, None, Self]:
        return self
        yield


_BY_COLOUR: dict[Colour | None, type[_Keeping]] = {
    Colour.ASYNC: CoroutineMock,
    Colour.ASYNC_ITERATOR: IteratorMock,
    Colour.ASYNC_CONTEXT: ContextMock,
    Colour.EITHER: EitherMock,
}


def _mock(member: Member, kw: dict[str, Any], parent: Any = None) -> Any:
    """Make the mock of a member."""
    if member.found is ABSENT:
        return MagicMock(**kw)
    kind = _BY_COLOUR.get(member.colour, SyncMock) if member.is_callable else ObjectMock
    mock: Any = kind(spec=names_of(member.found), **kw)
    own = mock.__dict__
    own["_cg"] = _Kept(member, parent)
    own["_spec_class"] = member.stands_for
    own["_spec_signature"] = member.signature
    if member.is_callable and member.signature is not None:
        own["__signature__"] = member.signature
    if member.is_callable:
        own["__name__"] = member.label.rpartition(".")[2]
        own["__qualname__"] = member.label
    return mock


def _given(kept: _Kept, kw: dict[str, Any]) -> Any:
    """Make the result of a call that has no configured value."""
    member = kept.member
    if member.gives is Self:
        return kept.parent if kept.parent is not None else MagicMock(**kw)
    if member.gives is None:
        return None
    if member.colour is Colour.EITHER:
        return _Awaitable(**kw)
    if not isinstance(member.gives, type):
        return MagicMock(**kw)
    return _mock(whole(member.gives, is_instance=True), kw)


def _check(member: Member, name: str, value: Any) -> None:
    """Refuse a configured value of the wrong colour."""
    if name == "return_value" and member.is_callable:
        refuse_return_value(member.found, member.colour, member.label, value)
    elif name == "side_effect" and member.is_callable:
        refuse_side_effect(member.found, member.colour, member.label, value)
    elif not name.startswith(("_mock", "_cg", "_spec")):
        own = member_of(member, name)
        if own.is_callable:
            refuse_attribute(own.found, own.label, value)


async def _items(value: Any) -> AsyncIterator[Any]:
    if not hasattr(class_of(value), "__iter__"):
        async for item in value:
            yield item
    else:
        for item in value:
            yield item


@asynccontextmanager
async def _entered(value: Any) -> AsyncGenerator[Any]:
    yield value
