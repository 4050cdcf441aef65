"""Requests of Flask applications, watched for leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import got_request_exception, request, request_started

from .requests import REQUEST_ID, explain_here
from .wsgi import ROUTE, WatchMiddleware

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["install"]


def install(app: Flask, *, request_id: str = REQUEST_ID) -> None:
    """Watch every request of an application; repeated calls change nothing.

    Flask answers an exception itself, so that no middleware around it sees one:
    its signal does.

    Args:
        app: The application.
        request_id: Header that identifies a request.
    """
    if isinstance(app.wsgi_app, WatchMiddleware):
        return
    watched: Any = WatchMiddleware(app.wsgi_app, request_id=request_id)
    app.wsgi_app = watched  # type: ignore[method-assign]
    request_started.connect(_note_route, app)
    got_request_exception.connect(_explain, app)


def _note_route(sender: object, **named: Any) -> None:  # noqa: ARG001
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule


def _explain(sender: object, exception: BaseException, **named: Any) -> None:  # noqa: ARG001
    explain_here(exception)
