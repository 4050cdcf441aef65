"""The reader of annotations."""

# Nothing here raises, and nothing runs code of the user's: text is looked up and
# not evaluated, and what cannot be looked up stays text. From 3.14 on annotations
# are code, which is run with stand-ins for all names and so becomes text as well.

from __future__ import annotations

import ast
import builtins
import collections.abc
import dataclasses
import operator
import sys
import types
import typing
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from .awaitables import (
    class_name,
    class_of,
    module_name,
    namespace,
    static_type_attribute,
)
from .callables import BINDINGS, METHODS, PARTIALS, PROXIES, closure_of, unwrap

_ALIASES = (types.GenericAlias, type(collections.abc.Callable[..., None]))
_GENERIC = ("typing", "types", "typing_extensions", "pydantic.main")
_STANDARD_FILES = (typing.__file__, dataclasses.__file__)
#: Modules of generic types whose arguments can be replaced.
_STANDARD = ("builtins", "typing", "collections", "collections.abc", "contextlib")
_LAZY_IMPORT = "lazy_import"
_NOTHING: Mapping[str, Any] = types.MappingProxyType({})


def return_annotation(target: object, known: Mapping[str, Any] = _NOTHING) -> object:
    """Return what a callable is annotated to return, ``Any`` where it is not.

    Args:
        target: A callable.
        known: What to take for names that its module does not have.

    Returns:
        The evaluated annotation; its text where that cannot be evaluated.
    """
    found = annotations_of(_annotated_callable(target), only="return", known=known)
    return found.get("return", Any)


def annotations_of(
    owner: object, *, only: str = "", known: Mapping[str, Any] = _NOTHING
) -> dict[str, object]:
    """Return the annotations that a function or a class itself has.

    Args:
        owner: A function, a class, or another object with annotations.
        only: The one name to evaluate; all where it is empty.
        known: What to take for names that its module does not have.

    Returns:
        Each annotation, evaluated, or its text where it cannot be evaluated;
        empty for what has none.
    """
    try:
        found, namespaces = _written(owner)
        names = names_in(*namespaces, known)
        return {
            name: evaluated(annotation, names)
            for name, annotation in found.items()
            if only in ("", name)
        }
    except Exception:
        return {}


def evaluated(annotation: object, names: Callable[[str], object]) -> object:
    """Return the value of an annotation; its text where that is not certain.

    Args:
        annotation: An annotation; only text and forward references change, also
            inside of it.
        names: Finds a name of the annotation's module; raises ``LookupError``.
    """
    text = annotation
    if class_of(text) is typing.ForwardRef:
        text = text.__forward_arg__  # type: ignore[attr-defined]
    if type(text) is not str:
        return replaced(annotation, lambda part: _read(part, names))
    try:
        return _meaning(ast.parse(text.strip(), mode="eval").body, names)
    except Exception:  # whatever text holds that is not an annotation
        return text


def _read(part: object, names: Callable[[str], object]) -> object:
    """Return what a text inside an annotation means; ``None`` for all else."""
    found = evaluated(part, names) if is_text(part) else part
    return None if found is part or is_text(found) else found


def is_text(part: object) -> bool:
    """Return whether a part of an annotation has not been evaluated."""
    return class_of(part) is str or class_of(part) is typing.ForwardRef


def has_texts(annotation: object) -> bool:
    """Return whether an annotation, or a part of it, has not been evaluated."""
    return is_text(annotation) or any(map(has_texts, _arguments(annotation)))


def replaced(annotation: Any, replace: Callable[[Any], Any]) -> Any:
    """Return an annotation with other parts where ``replace`` returns not ``None``."""
    found = replace(annotation)
    if found is not None:
        return found
    origin, arguments = typing.get_origin(annotation), _arguments(annotation)
    parts = [replaced(it, replace) for it in arguments]
    if all(map(operator.is_, parts, arguments)):
        return annotation
    if origin is typing.Annotated:
        return typing.Annotated[(parts[0], *annotation.__metadata__)]
    if origin is typing.Union or origin is types.UnionType:
        return typing.Union[tuple(parts)]  # noqa: UP007 - runs no __or__ of a metaclass
    is_standard = issubclass(type(origin), type) and module_name(origin) in _STANDARD
    return origin[tuple(parts)] if is_standard else annotation


def _arguments(annotation: object) -> tuple[Any, ...]:
    """Return the parts of an annotation that are annotations themselves."""
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return ()
    arguments = typing.get_args(annotation)
    return arguments[:1] if origin is typing.Annotated else arguments


def names_in(*namespaces: Mapping[str, Any]) -> Callable[[str], object]:
    """Return a function that finds a name in the first namespace, or in builtins."""

    def find(name: str) -> object:
        for names in (*namespaces, vars(builtins)):
            if name in names:
                found: object = names[name]
                # To import a module because an annotation names it is too much.
                if class_name(type(found)) == _LAZY_IMPORT:
                    break
                return found
        raise LookupError(name)

    return find


def _annotated_callable(target: Any) -> Any:
    """Return the object whose annotations describe a call of ``target``."""
    target = unwrap(target, through=(*PARTIALS, *BINDINGS, *METHODS, *PROXIES))
    kind = class_of(target)
    if kind is FunctionType or issubclass(kind, type):
        return target
    if _descriptor(kind, "__annotations__"):  # functions that Cython compiled
        return target
    call = static_type_attribute(kind, "__call__")
    return call if type(call) is FunctionType else None


def _written(owner: Any) -> tuple[dict[str, object], list[dict[str, Any]]]:
    """Return annotations as they are written, and the namespaces of their names."""
    if issubclass(type(owner), type):
        own: Any = type.__dict__["__dict__"].__get__(owner)
        found = own.get("__annotations__", own.get("__annotations_cache__"))
        code = own.get("__annotate__", own.get("__annotate_func__"))
        scope = [own, namespace(sys.modules.get(module_name(owner)))]
    elif type(owner) is FunctionType:
        code = getattr(owner, "__annotate__", None)
        found = owner.__annotations__ if code is None else None
        generic = {it.__name__: it for it in getattr(owner, "__type_params__", ())}
        scope = [generic, closure_of(owner), owner.__globals__]
    else:
        descriptor = _descriptor(class_of(owner), "__annotations__")
        found, code = descriptor.__get__(owner) if descriptor else {}, None
        scope = []
    if type(found) is dict or type(code) is not FunctionType:
        return found or {}, scope
    cells = closure_of(code)
    own_class = cells.pop("__classdict__", {})
    return _texts_of(code), [cells, own_class, code.__globals__]


def _texts_of(annotate: FunctionType) -> dict[str, object]:
    """Return the annotations that code of 3.14 and later makes, as texts."""
    import annotationlib  # type: ignore[import-not-found,unused-ignore]

    text: Any = annotationlib.Format.STRING  # type: ignore[unused-ignore]
    code = annotate.__code__
    if code.co_filename in _STANDARD_FILES:  # of a named tuple, of a dataclass's method
        made: dict[str, object] = annotate(text)
        return made
    # annotationlib runs the code with its real names first; these have none.
    bare = FunctionType(
        code,
        {"__builtins__": {}},
        closure=tuple(types.CellType() for _ in code.co_freevars) or None,
    )
    found: dict[str, object] = annotationlib.call_annotate_function(bare, text)
    return found


def _descriptor(kind: type, name: str) -> Any:
    found = static_type_attribute(kind, name)
    return found if type(found) is types.GetSetDescriptorType else None


def _meaning(node: ast.expr, names: Callable[[str], object]) -> Any:
    """Return the value of an annotation that is text.

    Raises:
        LookupError: A name is not known, or to find out would run code.
    """
    match node:  # pyright: ignore[reportMatchNotExhaustive]
        case ast.Constant(value=str() as text):
            return _meaning(ast.parse(text.strip(), mode="eval").body, names)
        case ast.Constant(value=None | builtins.Ellipsis as value):
            return value
        case ast.Name():
            found = names(node.id)
            return evaluated(found, names) if type(found) is str else found
        case ast.Attribute():
            return _attribute(_meaning(node.value, names), node.attr)
        case ast.BinOp(op=ast.BitOr()):
            both = _meaning(node.left, names), _meaning(node.right, names)
            return typing.Union[both]  # noqa: UP007 - runs no __or__ of a metaclass
        case ast.Tuple() | ast.List():
            inner = [_meaning(it, names) for it in node.elts]
            return inner if type(node) is ast.List else tuple(inner)
        case ast.Subscript():
            return _subscript(node, names)
    raise LookupError(ast.unparse(node))


def _attribute(base: Any, name: str) -> Any:
    """Return an attribute of a module or a class, found without their code."""
    names = namespace(base)
    if name in names:
        return names_in(names)(name)
    if issubclass(type(base), type):
        found = static_type_attribute(base, name)
        if issubclass(type(found), type):
            return found
    return _missing(name)


def _missing(name: str) -> Any:
    raise LookupError(name)


def _subscript(node: ast.Subscript, names: Callable[[str], object]) -> Any:
    base = _meaning(node.value, names)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if base is typing.Literal:
        return typing.Literal[tuple(map(ast.literal_eval, inner))]
    if base is typing.Annotated:
        rules = [it for node in inner[1:] for it in _metadata(node, names)]
        first = _meaning(inner[0], names)
        return typing.Annotated[(first, *rules)] if rules else first
    arguments = tuple(_meaning(it, names) for it in inner)
    if base is typing.Optional:
        return typing.Optional[arguments[0]]  # noqa: UP045 - as Union above
    if issubclass(type(base), type):
        return base[arguments] if _is_generic(base) else base
    if module_name(type(base)) not in _GENERIC:
        return _missing(class_name(type(base)))
    return base[arguments]


def _is_generic(cls: type) -> bool:
    """Return whether to subscript a class runs no code of the user's."""
    if static_type_attribute(type(cls), "__getitem__") is not None:
        return False
    maker = static_type_attribute(cls, "__class_getitem__")
    if type(maker) is not classmethod:
        return type(maker) is types.ClassMethodDescriptorType
    function = maker.__func__
    is_standard = type(function) is FunctionType and function.__module__ in _GENERIC
    return is_standard or function in _ALIASES


def _metadata(node: ast.expr, names: Callable[[str], object]) -> list[Any]:
    """Return what metadata of ``Annotated`` means, if that is known and safe."""
    try:
        if not isinstance(node, ast.Call):
            return [ast.literal_eval(node)]
        maker = _meaning(node.func, names)
        if maker.__module__.partition(".")[0] not in ("pydantic", "annotated_types"):
            return []
        given = {it.arg: ast.literal_eval(it.value) for it in node.keywords if it.arg}
        return [maker(*map(ast.literal_eval, node.args), **given)]
    except Exception:
        return []
