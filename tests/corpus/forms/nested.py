"""Forms in which an awaitable sits somewhere inside the value."""

import asyncio
import importlib.util
import types
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

from pydantic import BaseModel, ConfigDict, PrivateAttr
from pydantic import dataclasses as pydantic_dataclasses

from coroguard import ComponentHealth, HealthReport

from .registry import form, is_connected
from .returned import open_connection, stream


@dataclass
class Health:
    name: str
    connected: Any


@dataclass(slots=True, frozen=True)
class SlottedHealth:
    name: str
    connected: Any


@dataclass
class Late:
    name: str = "redis"
    connected: Any = field(init=False, repr=False, compare=False)


@dataclass(slots=True)
class Base:
    connected: Any


@dataclass(slots=True)
class Derived(Base):
    name: str = "redis"


@pydantic_dataclasses.dataclass
class PydanticHealth:
    connected: Any


class Pair(NamedTuple):
    name: str
    connected: Any


class Typed(TypedDict):
    connected: Any


class Model(BaseModel):
    connected: Any = None


class OpenModel(BaseModel):
    model_config = ConfigDict(extra="allow")


class PrivateModel(BaseModel):
    _connected: Any = PrivateAttr(None)


class Parent(BaseModel):
    child: Model


class Shy(dict):
    """A dict that hides its content from its public methods."""

    def __iter__(self):
        return iter(())

    def keys(self):
        return ()

    def values(self):
        return ()

    def items(self):
        return ()


@form("NESTED", where=("connected",))
def dict_value():
    return {"connected": is_connected()}


@form("NESTED", where=("connected",))
async def dict_value_of_async_check():
    return {"connected": is_connected()}


@form("NESTED", where=("component_details", "redis", "connected"))
def deep_dict_value():
    return {"component_details": {"redis": {"connected": is_connected()}}}


@form("NESTED")
def dict_key():
    return {is_connected(): "redis"}


@form("NESTED", where=("1",))
def list_item():
    return [True, is_connected()]


@form("NESTED", where=("1",))
def tuple_item():
    return ("redis", is_connected())


@form("NESTED")
def set_item():
    return {is_connected()}


@form("NESTED")
def frozenset_item():
    return frozenset([is_connected()])


@form("NESTED")
def deque_item():
    return deque([True, is_connected()])


@form("NESTED", where=("connected",))
def dataclass_field():
    return Health("redis", is_connected())


@form("NESTED", where=("connected",))
def slotted_dataclass_field():
    return SlottedHealth("redis", is_connected())


@form("NESTED", where=("connected",))
def late_dataclass_field():
    late = Late()
    late.connected = is_connected()
    return late


@form("NESTED", where=("connected",))
def inherited_slot():
    return Derived(is_connected())


@form("NESTED", where=("connected",))
def pydantic_dataclass_field():
    return PydanticHealth(is_connected())


@form("NESTED", where=("connected",))
def named_tuple_field():
    return Pair("redis", is_connected())


@form("NESTED", where=("connected",))
def typed_dict_value():
    return Typed(connected=is_connected())


@form("NESTED", where=("connected",))
def model_field():
    return Model(connected=is_connected())


@form("NESTED", where=("connected",))
def assigned_model_field():
    model = Model()
    model.connected = is_connected()
    return model


@form("NESTED", where=("connected",))
def constructed_model_field():
    return Model.model_construct(connected=is_connected())


@form("NESTED", where=("connected",))
def extra_of_model():
    return OpenModel(connected=is_connected())


@form("NESTED", where=("_connected",))
def private_of_model():
    model = PrivateModel()
    model._connected = is_connected()
    return model


@form("NESTED", where=("child", "connected"))
def model_in_model():
    return Parent(child=Model(connected=is_connected()))


@form("NESTED", where=("error_suggestions",))
def constructed_report():
    return HealthReport.model_construct(error_suggestions=is_connected())


@form("NESTED", where=("component_details", "redis", "connected"))
def extra_of_component():
    return {
        "component_details": {
            "redis": ComponentHealth.model_construct(
                status="healthy", connected=is_connected()
            )
        }
    }


@form("NESTED", where=("connected",))
def mapping_proxy_value():
    return types.MappingProxyType({"connected": is_connected()})


@form("NESTED", where=("connected",))
def user_dict_value():
    return UserDict(connected=is_connected())


@form("NESTED")
def user_list_item():
    return UserList([is_connected()])


@form("NESTED", where=("connected",))
def chain_map_value():
    return ChainMap({"name": "redis"}, {"connected": is_connected()})


@form("NESTED", where=("connected",))
def ordered_dict_value():
    return OrderedDict(connected=is_connected())


@form("NESTED", where=("redis",))
def default_dict_value():
    states = defaultdict(is_connected)
    states["redis"]
    return states


@form("NESTED", where=("connected",))
def dict_subclass_value():
    return Shy(connected=is_connected())


@form("NESTED")
def list_subclass_item():
    return type("Results", (list,), {})([is_connected()])


@form("NESTED", where=("checks", "1", "connected", "at"))
def nested_mix():
    deep = Pair("redis", {"at": deque([SlottedHealth("redis", is_connected())])})
    return {"checks": [Health("environment", True), deep]}


@form("NESTED", where=("self",))
def cycle():
    report = {}
    report["self"] = [report, is_connected()]
    return report


@form("NESTED", where=("connected",))
def cycle_of_dataclasses():
    health = Health("redis", None)
    health.connected = (health, is_connected())
    return health


@form("NESTED")
def depth_of_ten_thousand():
    value = is_connected()
    for _ in range(10_000):
        value = [value]
    return value


@form("NESTED", where=("9999",))
def last_of_ten_thousand():
    return [*range(9_999), is_connected()]


@form("NESTED")
def comprehension():
    return [is_connected(name) for name in ("database", "redis")]


@form("NESTED")
def registry_of_checks():
    checks = {"sync": lambda: True, "async": is_connected}
    return {name: check() for name, check in checks.items()}


@form("NESTED", where=("stream",), leaked="stream", returns=HealthReport)
def async_generator_in_dict():
    return {"stream": stream()}


@form("NESTED", where=("connection",), leaked="open_connection", returns=HealthReport)
def async_context_manager_in_dict():
    return {"connection": open_connection()}


@form("NESTED", where=("connected",), returns=HealthReport)
async def task_in_dict():
    return {"connected": asyncio.create_task(is_connected())}


@form("NESTED", leaked=None, returns=HealthReport)
async def future_in_list():
    return [asyncio.get_running_loop().create_future()]


@form("NESTED", returns=HealthReport)
async def tasks_in_dataclass():
    return Health("redis", [asyncio.create_task(is_connected())])


if importlib.util.find_spec("attrs"):
    import attrs

    @attrs.define
    class AttrsHealth:
        name: str
        connected: Any

    @attrs.frozen(slots=False)
    class FrozenAttrsHealth:
        connected: Any

    @form("NESTED", where=("connected",))
    def attrs_field():
        return AttrsHealth("redis", is_connected())

    @form("NESTED", where=("connected",))
    def frozen_attrs_field():
        return FrozenAttrsHealth(is_connected())
