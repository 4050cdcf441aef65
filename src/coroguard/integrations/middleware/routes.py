"""Templates of the routes that requests of ASGI frameworks have taken."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Return the template of the path of a request.

    Starlette and FastAPI leave the route in the scope, Litestar the template.

    Returns:
        The template, those of mounts included; empty where no route was taken,
        and where the framework is not known. The path itself is never returned.
    """
    template = scope.get("path_template")
    if type(template) is str:
        return template
    route = scope.get("route")
    if route is None:
        return ""
    mounted = scope.get("root_path", "")
    mounted = mounted.removeprefix(scope.get("app_root_path", mounted))
    prefix = _mount_template(getattr(scope.get("router"), "routes", ()), mounted)
    if prefix is None:
        return ""
    # The path of a mount is in the prefix.
    return prefix + (_own_template(route, scope) if hasattr(route, "endpoint") else "")


def _own_template(route: Any, scope: MutableMapping[str, Any]) -> str:
    """Return the template of a route, with the prefixes of FastAPI's routers."""
    included = (scope.get("fastapi") or {}).get("effective_route_context")
    if getattr(included, "original_route", None) is route:
        route = included
    template = getattr(route, "path_format", None) or getattr(route, "path", "")
    return template if type(template) is str else ""


def _mount_template(routes: Any, mounted: str) -> str | None:
    """Return the templates of the mounts that a path went through.

    Args:
        routes: The routes of the outermost router.
        mounted: The part of the path that belongs to mounts.

    Returns:
        ``None`` where no mount is found for it.
    """
    if not mounted:
        return ""
    for route in routes:
        inner = getattr(route, "routes", None)
        if inner is None or hasattr(route, "endpoint"):
            continue
        regex = getattr(route, "path_regex", None)
        if regex is None:  # routes of a host
            found = _mount_template(inner, mounted)
            own = ""
        else:
            match = regex.match(f"{mounted}/")
            if match is None:
                continue
            left = f"/{match.groupdict().get('path', '')}".rstrip("/")
            found, own = _mount_template(inner, left), route.path
        if found is not None:
            return f"{own}{found}"
    return None
