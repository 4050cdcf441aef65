"""What does an expression of a module's source lead to, here and now?"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType, NoneType
from typing import TYPE_CHECKING, Any

from ..._inspect import attributes as statics
from ..._inspect.annotations import named_classes
from ..._inspect.attributes import MISSING, member, unbound
from ..._inspect.awaitables import static_type_attribute
from ..._inspect.colours import Colour, colour_of, plain_function
from .scopes import FUNCTIONS, By, Scope

if TYPE_CHECKING:
    from .scopes import Binding, Source

__all__ = ["Lookups"]

_type: Any = type
_FARTHEST = 20


@dataclass(frozen=True, slots=True)
class _Instance:
    """An object of which only the class is known.

    Args:
        cls: Its class.
        exact: Whether it cannot be of a subclass.
        after: For ``super()``: only the bases behind this class.
        own: What the object itself holds, where it exists already.
    """

    cls: type
    exact: bool
    after: type | None = None
    own: Any = None


class Lookups:
    """Answers, for one module, what its expressions lead to.

    Only where there is one answer: a name that may be bound in several ways, or
    that a function takes as a parameter, leads nowhere.
    """

    def __init__(self, module: ModuleType, source: Source) -> None:
        self._module = module
        #: The names of the module, as they are now.
        self.names = vars(module)
        self._source = source
        self._rebound = source.rebound()
        self._stored: dict[int, set[str] | None] = {}
        self._asked: set[tuple[int, str]] = set()

    def target(self, call: ast.Call) -> Any:
        """Return what a call calls, or ``MISSING``."""
        found = self._of(call.func, self._source.scopes[call])
        return MISSING if type(found) is _Instance else found

    def is_builtin(self, name: str, scope: Scope) -> bool:
        """Say whether a name leads to what Python itself calls so."""
        top = self._source.owner(name, scope).parent is None
        return top and name not in self.names and hasattr(builtins, name)

    def defined_class(self, scope: Scope | None) -> type | None:
        """Return the class that a class statement of the module made."""
        if scope is None or not isinstance(scope.node, ast.ClassDef):
            return None
        name, parent = scope.node.name, scope.parent
        if parent is not None and parent.parent is None:
            found = self.names.get(name, MISSING)
        else:
            outer = self.defined_class(parent)
            found = MISSING if outer is None else statics.own_dict(outer).get(name)
        cls: Any = found
        if not issubclass(_type(cls), type):
            return None
        own = statics.own_dict(cls)
        return cls if own.get("__module__") == self.names.get("__name__") else None

    def _of(self, node: ast.expr, scope: Scope, depth: int = 0) -> Any:
        if depth > _FARTHEST:
            return MISSING
        if isinstance(node, ast.Name):
            return self._of_name(node.id, scope, node)
        if isinstance(node, ast.Attribute):
            base = self._of(node.value, scope, depth + 1)
            return self._of_attribute(base, node.attr)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == "super":
                return self._of_super(node, scope)
            return _made(self._of(node.func, scope, depth + 1), Colour.SYNC)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            return _made(self._of(node.value.func, scope, depth + 1), Colour.ASYNC)
        return MISSING

    def _of_name(self, name: str, scope: Scope, node: ast.Name) -> Any:
        owner = self._source.owner(name, scope)
        bound = owner.bound.get(name, [])
        if owner.parent is None:
            return self._of_global(name, scope, bound)
        # Variables that are made from each other would be followed for ever.
        asked = id(owner), name
        if asked in self._asked or len(self._asked) > _FARTHEST:
            return MISSING
        self._asked.add(asked)
        try:
            found = [self._of_binding(it, owner, node) for it in bound]
        finally:
            self._asked.discard(asked)
        return found[0] if all(_is_same(it, found[0]) for it in found) else MISSING

    def _of_global(self, name: str, scope: Scope, bound: list[Binding]) -> Any:
        # Code that runs while the module is imported may see an earlier binding.
        if name in self._rebound or (not _runs_later(scope) and len(bound) != 1):
            return MISSING
        return _known(self.names.get(name, MISSING))

    def _of_binding(self, binding: Binding, owner: Scope, node: ast.Name) -> Any:
        if binding.by is By.IMPORT:
            return _known(self.imported(binding))
        if binding.by is By.VALUE and isinstance(binding.detail, (ast.Call, ast.Await)):
            return self._of(binding.detail, owner)
        if binding.by is By.PARAMETER:
            return self._of_first_parameter(node.id, owner)
        return MISSING

    def imported(self, binding: Binding) -> Any:
        """Return what an import gives now; it imports nothing itself."""
        statement, alias = binding.node, binding.detail
        if isinstance(statement, ast.ImportFrom):
            name = statics.module_name(self._module, statement.module, statement.level)
            return statics.imported(name, alias.name)
        name = alias.name if alias.asname else alias.name.partition(".")[0]
        return statics.loaded(name)

    def _of_first_parameter(self, name: str, owner: Scope) -> Any:
        """Return ``self`` or ``cls`` of a method."""
        node = owner.node
        cls = self.defined_class(owner.parent)
        if cls is None or name not in ("self", "cls"):
            return MISSING
        if not isinstance(node, FUNCTIONS):
            return MISSING
        arguments = [*node.args.posonlyargs, *node.args.args]
        is_first = bool(arguments) and arguments[0].arg == name
        words = {ast.unparse(it) for it in node.decorator_list}
        if not is_first or "staticmethod" in words:
            return MISSING
        return _Instance(cls, exact=False)

    def _of_super(self, node: ast.Call, scope: Scope) -> Any:
        here: Scope | None = scope
        while here is not None and not here.is_class:
            here = here.parent
        cls = self.defined_class(here)
        if cls is None or node.args or not self.is_builtin("super", scope):
            return MISSING
        return _Instance(cls, exact=False, after=cls)

    def _of_attribute(self, base: Any, name: str) -> Any:
        if type(base) is _Instance:
            return self._of_member(base, name)
        kind = _type(base)
        if issubclass(kind, ModuleType):
            if static_type_attribute(kind, name) is not None:
                return MISSING  # a property of a module, and the like
            return _known(statics.namespace(base).get(name, MISSING))
        if issubclass(kind, type):
            found, of_meta = member(base, name), static_type_attribute(kind, name)
            has_a_say = of_meta is not None and of_meta is not found
            return MISSING if has_a_say else unbound(found)
        return MISSING

    def _of_member(self, base: _Instance, name: str) -> Any:
        if base.own is not None:
            own = statics.own_state(base.own).get(name, MISSING)
            if own is not MISSING:
                return own if plain_function(own) is not None else MISSING
        # By identity: a metaclass may answer even for the hash of its classes.
        if id(base.cls) not in self._stored:
            self._stored[id(base.cls)] = statics.instances_own(base.cls)
        stored = self._stored[id(base.cls)]
        if stored is None or name in stored or name in self._source.stored:
            return self._of_stored(base, name) if stored is not None else MISSING
        if not base.exact and not statics.subclasses_agree(base.cls, name, base.after):
            return MISSING
        return unbound(member(base.cls, name, base.after))

    def _of_stored(self, base: _Instance, name: str) -> Any:
        """Return what the code of a class, and no other, stores under a name, once."""
        mro = statics.mro(base.cls)
        values: list[tuple[ast.expr | None, Scope]] = []
        for target, value in self._source.stored.get(name, ()):
            scope = self._source.scopes[target]
            owner = self._owner_of(target, scope)
            if owner is None:
                return MISSING
            if any(owner is it for it in mro):
                values.append((value, scope))
        if len(values) != 1 or member(base.cls, name) is not MISSING:
            return MISSING
        ((value, scope),) = values
        asked = id(base.cls), name
        if value is None or asked in self._asked or len(self._asked) > _FARTHEST:
            return MISSING
        self._asked.add(asked)
        try:
            found = self._of(value, scope)
        finally:
            self._asked.discard(asked)
        is_told = type(found) is _Instance
        is_told = is_told and not statics.subclasses_store(base.cls, name)
        return found if is_told else MISSING

    def _owner_of(self, target: ast.Attribute, scope: Scope) -> type | None:
        """Return the class whose method stores on ``self``, else ``None``."""
        if not isinstance(target.value, ast.Name) or target.value.id != "self":
            return None
        owner = self._of_first_parameter("self", self._source.owner("self", scope))
        return owner.cls if type(owner) is _Instance else None


def _is_same(one: Any, other: Any) -> bool:
    if type(one) is _Instance and type(other) is _Instance:
        return one.cls is other.cls and one.own is other.own
    return one is other


def _runs_later(scope: Scope) -> bool:
    """Say whether code of a scope runs after the module was imported."""
    here: Scope | None = scope
    while here is not None:
        if here.is_function or isinstance(here.node, ast.Lambda):
            return True
        here = here.parent
    return False


def _known(value: Any) -> Any:
    """Tell what is called itself from objects whose methods are called."""
    kind = _type(value)
    if value is MISSING or issubclass(kind, (type, ModuleType, FunctionType)):
        return value
    if issubclass(kind, BuiltinFunctionType) or plain_function(value) is not None:
        return value
    return _Instance(kind, exact=True, own=value)


def _made(found: Any, colour: Colour) -> Any:
    """Return what calling a class gives, or a function that says so.

    Args:
        found: What is called.
        colour: ``async`` where the call is awaited.
    """
    if issubclass(_type(found), type):
        is_made = statics.is_plainly_made(found)
        return _Instance(found, exact=True) if is_made else MISSING
    function = None if type(found) is _Instance else plain_function(found)
    if function is None or "__wrapped__" in function.__dict__:
        return MISSING
    annotation = function.__annotations__.get("return", Any)
    classes = named_classes(annotation, function.__globals__) or []
    classes = [cls for cls in classes if cls is not NoneType]
    if len(classes) != 1 or colour_of(found) is not colour:
        return MISSING
    return _Instance(classes[0], exact=False)
