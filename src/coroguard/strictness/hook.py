"""How does a module of a strict package come to have its checks?"""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any

from typeguard import (
    CollectionCheckStrategy,
    ForwardRefPolicy,
    TypeCheckerCallable,
    TypeguardFinder,
    checker_lookup_functions,
    config,
    install_import_hook,
)

from .refusal import refuser
from .rewriting import checked_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

__all__ = ["allow_unreadable", "checked_modules", "extend", "is_below"]

_packages: list[str] = []
_checked: set[str] = set()


def extend(packages: Iterable[str]) -> None:
    """Check what is imported of these packages from now on, too."""
    _packages.extend(name for name in packages if name not in _packages)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        _install()


def checked_modules() -> Collection[str]:
    """Return the names of the modules that were given checks."""
    return _checked


def is_below(module: str, package: str) -> bool:
    """Say whether a module is the package or a part of it."""
    return module == package or module.startswith(f"{package}.")


class _Loader(SourceFileLoader):
    """Compiles a module with its checks.

    Nothing is cached: typeguard's own loader keeps its bytecode where a later
    run, with other packages strict, takes unchecked code for checked.
    """

    def get_code(self, fullname: str) -> CodeType | None:
        file = self.get_filename(fullname)
        code, is_checked = checked_code(self.get_data(file), file)
        if is_checked:
            _checked.add(fullname)
        return code


class _Finder(TypeguardFinder):
    """Finds what the finders behind it find, and changes the loader."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not _is_strict(fullname):
            return None
        # Not the path's finder alone, as typeguard has it: the post-import hooks
        # of wrapt and editable installations find modules too.
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                # Whoever has a loader of his own has a reason.
                if type(spec.loader) is SourceFileLoader:
                    spec.loader = _Loader(spec.loader.name, spec.loader.path)
                return spec
        return None


def _install() -> None:
    install_import_hook(_packages, cls=_Finder)
    # Typeguard's settings are the process's: the checks in a module read them
    # there and nowhere else. A coroutine may be the second item of a list, and
    # a name that only type checkers know is no reason to warn.
    config.collection_check_strategy = CollectionCheckStrategy.ALL_ITEMS
    config.forward_ref_policy = ForwardRefPolicy.IGNORE
    if allow_unreadable not in checker_lookup_functions:
        checker_lookup_functions.append(allow_unreadable)
    if not getattr(config.typecheck_fail_callback, "coroguard", False):
        config.typecheck_fail_callback = refuser(
            _is_strict, config.typecheck_fail_callback
        )


def allow_unreadable(
    origin: object, args: tuple[Any, ...], extras: tuple[Any, ...]
) -> TypeCheckerCallable | None:
    """Let what typeguard cannot read allow everything.

    It fails on ``Annotated[Any, ...]``, and warns of a name that is text inside
    a type, as in ``list["Decimal"]``, whatever its settings say.
    """
    del args, extras
    return _allow if origin is Any or isinstance(origin, str) else None


def _allow(value: object, origin: object, args: object, memo: object) -> None:
    """Check nothing."""


def _is_strict(module: str) -> bool:
    return any(is_below(module, package) for package in _packages)
