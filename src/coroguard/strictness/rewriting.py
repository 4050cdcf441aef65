"""The source of a strict package, rewritten so that each annotated place is checked."""

# A correct program must not notice. So no name is added to a function or a module:
# the calls are made on a constant, which is swapped for the checks after compiling.
# No annotation is evaluated in the function, and every line keeps its number.

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import TypeVar

from .checks import CHECKS

_MARK = "coroguard.strictness.checks.CHECKS"
#: Functions under these decorators are left as they are.
_LEFT = frozenset(("no_type_check", "overload", "typechecked", "typeguard_ignore"))
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Node = TypeVar("_Node", bound=ast.AST)


def checked_code(source: bytes, file: str) -> CodeType:
    """Compile a module with a check at each annotated place of its functions.

    Raises:
        SyntaxError: The source is not Python.
    """
    with warnings.catch_warnings():
        # A module that is imported from its bytecode warns of nothing, either.
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        tree = _Rewriter().visit(ast.parse(source, file))
        code = compile(tree, file, "exec", dont_inherit=True)
    return _with_checks(code)


def _with_checks(code: CodeType) -> CodeType:
    """Swap the mark for the checks, in all code that is inside, too."""
    constants = tuple(
        CHECKS
        if type(it) is str and it == _MARK
        else _with_checks(it)
        if isinstance(it, CodeType)
        else it
        for it in code.co_consts
    )
    return code.replace(co_consts=constants)


@dataclass(slots=True)
class _Scope:
    """One function that is being rewritten.

    Args:
        has_result: Whether its results are annotated.
        variables: The annotated variables, each with the text of its annotation;
            ``None`` for parameters, whose annotations the function has.
    """

    has_result: bool
    variables: dict[str, str | None] = field(default_factory=dict[str, str | None])


class _Rewriter(ast.NodeTransformer):
    def __init__(self) -> None:
        self._scope: _Scope | None = None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._outside(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._outside(node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if self._has_result and node.value is not None:
            node.value = _checked("returned", node.value)
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        self.generic_visit(node)
        if self._has_result and node.value is not None:
            node.value = _checked("yielded", node.value)
        return _call("sent", node, [node]) if self._has_result else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if self._scope is not None and isinstance(node.target, ast.Name):
            self._scope.variables[node.target.id] = ast.unparse(node.annotation)
            if node.value is not None:
                node.value = self._assigned(node.target.id, node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                node.value = self._assigned(target.id, node.value)
        # An unpacked value is checked when it is bound to its name.
        unpacked = [
            part
            for target in node.targets
            if isinstance(target, (ast.Tuple, ast.List))
            for part in ast.walk(target)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        ]
        checks: list[ast.stmt] = []
        for name in unpacked:
            read = ast.copy_location(ast.Name(name.id, ast.Load()), node)
            check = self._assigned(name.id, read)
            if check is not read:
                checks.append(ast.copy_location(ast.Expr(check), node))
        return [node, *checks] if checks else node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        self.generic_visit(node)
        node.value = self._assigned(node.target.id, node.value)
        return node

    @property
    def _has_result(self) -> bool:
        return self._scope is not None and self._scope.has_result

    def _assigned(self, name: str, value: ast.expr) -> ast.expr:
        """Check a value that a variable gets, if that is annotated."""
        if self._scope is None or name not in self._scope.variables:
            return value
        text = self._scope.variables[name]
        return _checked("assigned", value, ast.Constant(name), ast.Constant(text))

    def _outside(self, node: _Node) -> _Node:
        """Visit a node that has a scope of its own."""
        scope, self._scope = self._scope, None
        self.generic_visit(node)
        self._scope = scope
        return node

    def _function(self, node: _Function) -> ast.AST:
        if any(_last_name(it) in _LEFT for it in node.decorator_list):
            return node
        annotated = [it for it in _parameters(node.args) if it[1].annotation]
        scope, self._scope = self._scope, _Scope(node.returns is not None)
        self._scope.variables.update((it[1].arg, None) for it in annotated)
        inner: list[ast.stmt] = []
        for statement in node.body:
            made = self.visit(statement)
            inner += made if isinstance(made, list) else [made]
        is_concerned = node.returns is not None or bool(self._scope.variables)
        self._scope = scope
        if not is_concerned:
            node.body = inner
            return node
        if annotated:
            names = [ast.Constant(f"{star}{it.arg}") for star, it in annotated]
            values = [ast.Name(it.arg, ast.Load()) for _, it in annotated]
            given = _call("given", node, [_tuple(names), _tuple(values)])
            check = ast.copy_location(ast.Expr(given), node)
            inner.insert(_after_docstring(inner), ast.fix_missing_locations(check))
        node.body = inner
        # The innermost decorator gets the bare function, and returns it.
        mark = ast.copy_location(ast.Constant(_MARK), node)
        known = ast.Attribute(mark, "known", ast.Load())
        node.decorator_list.append(ast.copy_location(known, node))
        _keep_to_one_line(node.decorator_list[-1])
        return node


def _parameters(arguments: ast.arguments) -> list[tuple[str, ast.arg]]:
    """Return the parameters of a function, each with its stars."""
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    starred = [("*", arguments.vararg), ("**", arguments.kwarg)]
    return [("", it) for it in plain] + [(star, it) for star, it in starred if it]


def _checked(check: str, value: ast.expr, *more: ast.expr) -> ast.expr:
    """Wrap a value in a check; a literal needs none."""
    if isinstance(value, ast.Constant):
        return value
    return _call(check, value, [value, *more])


def _call(check: str, place: ast.AST, arguments: list[ast.expr]) -> ast.expr:
    function = ast.Attribute(ast.Constant(_MARK), check, ast.Load())
    call = ast.copy_location(ast.Call(function, arguments, []), place)
    if not isinstance(place, ast.expr):
        _keep_to_one_line(call)
    return ast.fix_missing_locations(call)


def _tuple(items: Sequence[ast.expr]) -> ast.expr:
    return ast.Tuple([*items], ast.Load())


def _keep_to_one_line(node: ast.AST) -> None:
    """Put the node that replaces a ``def`` on the first line of it."""
    for each in ast.walk(node):
        if hasattr(each, "end_lineno"):
            each.end_lineno, each.end_col_offset = node.lineno, node.col_offset  # type: ignore[attr-defined]


def _after_docstring(body: list[ast.stmt]) -> int:
    first = body[0] if body else None
    is_docstring = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return int(is_docstring)


def _last_name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    if isinstance(decorator, ast.Attribute):
        return decorator.attr
    return decorator.id if isinstance(decorator, ast.Name) else ""
