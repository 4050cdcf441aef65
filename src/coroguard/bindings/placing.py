"""Guards of the functions of a module: putting on and removing."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from .._guard.names import DEFINITIONS, key_of
from .._guard.supported import usage_error
from .._inspect.attributes import MISSING, file_of, namespace
from .._inspect.callables import is_guarded
from .paths import Protection, Put, Target, module_name, own, reads_frames


def guard_module(
    protection: Protection,
    module: Any,
    importers: list[ModuleType],
    *,
    late: bool = False,
) -> None:
    """Guard the functions of a path in one module.

    Args:
        protection: The path.
        module: The module.
        importers: Modules whose names for the same functions get the guard too.
        late: Whether the module was imported before ``protect`` was called.

    Raises:
        GuardUsageError: A plain path cannot be guarded.
    """
    is_pattern = protection.path.is_pattern
    guards: dict[int, tuple[Any, Any]] = {}
    for target in protection.path.targets(module):
        path = f"{module_name(module)}:{target.qualified}"
        try:
            if is_pattern and reads_frames(target.value):
                protection.passed[path] = "it looks at the frame of its caller"
                continue
            if id(target.value) not in guards:
                guarded = decorated(protection, target.value)
                guards[id(target.value)] = target.value, guarded
            _set(protection, target, guards[id(target.value)][1], module, late)
        except Exception as error:
            if not is_pattern:
                raise
            protection.refused[path] = str(error).partition("\n")[0]
    for importer in importers:
        for name, value in list(namespace(importer).items()):
            function, guarded = guards.get(id(value), (None, None))
            if function is value and guarded is not value and function is not None:
                alias = Target(importer, name, value, name)
                _set(protection, alias, guarded, importer, late)


def decorated(protection: Protection, function: Any) -> Any:
    """Return a guard of a function; one that has a guard is only watched."""
    if is_guarded(function):
        return function
    guarded = protection.decorate(function)
    key = key_of(guarded)
    if key is not None:  # a name that is protected, and not decorated
        DEFINITIONS.pop(key, None)
    return guarded


def _set(
    protection: Protection, target: Target, guarded: Any, module: Any, late: bool
) -> None:
    put = Put(
        module=module_name(module),
        name=target.qualified,
        owner=target.owner,
        attribute=target.name,
        original=own(target.owner).get(target.name, MISSING),
        function=target.value,
        guarded=guarded,
        file=file_of(module),
        late=late,
    )
    if guarded is not target.value:
        try:
            setattr(put.owner, put.attribute, guarded)
        except Exception as error:
            raise usage_error(
                f"{put.module}:{put.name} takes no guard: {error}."
            ) from None
    key = (put.module, put.name)
    held = protection.put.get(key)
    if held is None:
        protection.put[key] = put
    elif held.guarded is not guarded:  # imported again, perhaps from another file
        protection.put[key] = replace(put, file=held.file)


def take_off(protection: Protection) -> None:
    """Remove the guards of a path that are still there."""
    for put in protection.put.values():
        if own(put.owner).get(put.attribute) is not put.guarded:
            continue
        if put.original is MISSING:
            delattr(put.owner, put.attribute)
        elif put.original is not put.guarded:
            setattr(put.owner, put.attribute, put.original)
