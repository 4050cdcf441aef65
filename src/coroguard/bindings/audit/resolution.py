"""The meaning of a module's expressions, as the module was imported."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from types import (
    MethodDescriptorType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any

from ..._inspect import attributes as statics
from ..._inspect.attributes import MISSING, member, unbound
from ..._inspect.awaitables import class_of, static_type_attribute
from ..._inspect.colours import Colour, plain_function
from .declared_types import (
    class_of_attribute,
    class_of_parameter,
    class_of_variable,
)
from .objects import Instance, declared_object, is_same, known_object, made_by
from .scopes import FUNCTIONS, By, Scope

if TYPE_CHECKING:
    from .scopes import Binding, Source

_FARTHEST = 20


class Lookups:
    """The objects that the expressions of one module refer to.

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
        self._depth = 0

    def target(self, call: ast.Call) -> Any:
        """Return the callable of a call, or ``MISSING``."""
        return self.value(call.func)

    def value(self, node: ast.expr) -> Any:
        """Return the function, class or module that an expression refers to."""
        found = self._of(node, self._source.scopes[node])
        return MISSING if type(found) is Instance else found

    def getter(self, node: ast.Attribute) -> Any:
        """Return the function that reading an attribute runs, if it is a property."""
        base = self._of(node.value, self._source.scopes[node])
        if type(base) is not Instance:
            return MISSING
        found = member(base.cls, node.attr, base.after)
        return found.fget if type(found) is property else MISSING

    def is_builtin(self, name: str, scope: Scope) -> bool:
        """Return whether a name is the builtin of that name."""
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
        if not issubclass(class_of(cls), type):
            return None
        own = statics.own_dict(cls)
        return cls if own.get("__module__") == self.names.get("__name__") else None

    def _of(self, node: ast.expr, scope: Scope) -> Any:
        if self._depth > _FARTHEST:
            return MISSING
        self._depth += 1
        try:
            return self._of_node(node, scope)
        finally:
            self._depth -= 1

    def _of_node(self, node: ast.expr, scope: Scope) -> Any:
        if isinstance(node, ast.Name):
            return self._of_name(node.id, scope, node)
        if isinstance(node, ast.Attribute):
            base = self._of(node.value, scope)
            return self._of_attribute(base, node.attr)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == "super":
                return self._of_super(node, scope)
            return made_by(self._of(node.func, scope), Colour.SYNC)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            return made_by(self._of(node.value.func, scope), Colour.ASYNC)
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
        return found[0] if all(is_same(it, found[0]) for it in found) else MISSING

    def _of_global(self, name: str, scope: Scope, bound: list[Binding]) -> Any:
        # Code that runs while the module is imported may see an earlier binding.
        runs_later = any(it.is_called for it in scope.outwards())
        if name in self._rebound or (len(bound) != 1 and not runs_later):
            return MISSING
        return known_object(self.names.get(name, vars(builtins).get(name, MISSING)))

    def _of_binding(self, binding: Binding, owner: Scope, node: ast.Name) -> Any:
        if binding.by is By.IMPORT:
            return known_object(self.imported(binding))
        if binding.by is By.PARAMETER:
            found = self._of_first_parameter(node.id, owner)
            declared = class_of_parameter(owner.node, node.id, self.names)
            return declared_object(declared) if found is MISSING else found
        if binding.by not in (By.VALUE, By.OTHER):
            return MISSING
        declared = class_of_variable(binding.node, self._source, self.names)
        if declared is not None:
            return declared_object(declared)
        followed = (ast.Call, ast.Await, ast.Attribute)
        if binding.by is By.VALUE and isinstance(binding.detail, followed):
            return self._of(binding.detail, owner)
        return MISSING

    def imported(self, binding: Binding) -> Any:
        """Return the object of an import, if it is imported already."""
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
        return Instance(cls, exact=False)

    def _of_super(self, node: ast.Call, scope: Scope) -> Any:
        around = (it for it in scope.outwards() if it.is_class)
        cls = self.defined_class(next(around, None))
        if cls is None or node.args or not self.is_builtin("super", scope):
            return MISSING
        return Instance(cls, exact=False, after=cls)

    def _of_attribute(self, base: Any, name: str) -> Any:
        if type(base) is Instance:
            return self._of_member(base, name)
        kind = class_of(base)
        if issubclass(kind, ModuleType):
            if static_type_attribute(kind, name) is not None:
                return MISSING  # a property of a module, and the like
            return known_object(statics.namespace(base).get(name, MISSING))
        if issubclass(kind, type):
            found, of_meta = member(base, name), static_type_attribute(kind, name)
            is_overridden = of_meta is not None and of_meta is not found
            return MISSING if is_overridden else unbound(found)
        return MISSING

    def _of_member(self, base: Instance, name: str) -> Any:
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
        found = member(base.cls, name, base.after)
        return found if type(found) is MethodDescriptorType else unbound(found)

    def _of_stored(self, base: Instance, name: str) -> Any:
        """Return the only object that a class declares or stores under a name."""
        declared = class_of_attribute(base.cls, name)
        values = list(self._stored_values(base.cls, name))
        if declared is None:
            for target, _, _ in values:
                declared = class_of_variable(target, self._source, self.names)
                if declared is not None:
                    break
        if declared is not None:
            return declared_object(declared)
        if not values or member(base.cls, name) is not MISSING:
            return MISSING
        asked = id(base.cls), name
        if asked in self._asked or len(self._asked) > _FARTHEST:
            return MISSING
        self._asked.add(asked)
        try:
            found = [self._of(value, scope) for _, value, scope in values if value]
        finally:
            self._asked.discard(asked)
        is_known = len(found) == len(values) and type(found[0]) is Instance
        is_known = is_known and all(is_same(it, found[0]) for it in found)
        is_known = is_known and not statics.subclasses_store(base.cls, name)
        return found[0] if is_known else MISSING

    def _stored_values(
        self, cls: type, name: str
    ) -> Iterator[tuple[ast.Attribute, ast.expr | None, Scope]]:
        """Yield what code stores under a name on objects of a class, but ``None``.

        A place whose object is not known counts as one that stores anything.
        """
        bases = statics.mro(cls)
        for target, value in self._source.stored.get(name, ()):
            scope = self._source.scopes[target]
            owner = self._owner_of(target, scope)
            if owner is not None and not any(owner is it for it in bases):
                continue
            if owner is None:
                yield target, None, scope
            elif not (isinstance(value, ast.Constant) and value.value is None):
                yield target, value, scope

    def _owner_of(self, target: ast.Attribute, scope: Scope) -> type | None:
        """Return the class whose method stores on ``self``, else ``None``."""
        if not isinstance(target.value, ast.Name) or target.value.id != "self":
            return None
        owner = self._of_first_parameter("self", self._source.owner("self", scope))
        return owner.cls if type(owner) is Instance else None
