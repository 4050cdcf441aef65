"""What a health report is, and whether a value is one."""

# The models hold the rules, and ``check_report`` puts any value to them, unless it
# is the usual plain dictionary, which ``plain_report`` knows at a glance.

import gc
from datetime import datetime
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeAlias,
    cast,
)

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import (
    InitErrorDetails,
    PydanticCustomError,
    core_schema,
)

from .consistency import disagreements
from .fast_path import is_plain_report
from .health_json import MEDIA_TYPE, health_json, verdict
from .json_values import (
    Path,
    awaitables,
    fields_of,
    is_exact_json,
    is_kind,
    json_faults,
    noun,
)
from .violations import line, line_error, relayed, told, violations

__all__ = [
    "ComponentHealth",
    "HealthReport",
    "check_report",
    "is_plain_report",
    "violations",
]


def _json(value: object) -> object:
    """Refuse what is no JSON value, naming each place inside."""
    if is_exact_json([[value]]):
        return value
    lines = [
        line_error("json_value", why, path, item)
        for path, why, item in json_faults(value)
    ]
    if lines:
        raise ValidationError.from_exception_data("JSON", lines, hide_input=True)
    return value


def _moment(value: object) -> object:
    """Read ISO 8601 text; refuse a moment without a zone.

    The zone is not asked for its offset: that may be anybody's code.
    """
    moment = value
    if is_kind(value, str):
        try:
            moment = datetime.fromisoformat(str.__str__(cast("str", value)))
        except ValueError:
            moment = None
    if not is_kind(moment, datetime):
        message = "should be a datetime or ISO 8601 text"
        raise PydanticCustomError("moment", message)
    if cast("datetime", moment).tzinfo is None:
        raise PydanticCustomError("moment", "should have a time zone")
    return moment


def _number(value: object) -> object:
    """Refuse what pydantic would ask for its ``__float__``."""
    if value is None or is_kind(value, int, float):
        return value
    raise PydanticCustomError("number", "should be a valid number")


def _text(value: object) -> object:
    """Take a string enumeration for its text, whatever pydantic's version does."""
    return str.__str__(cast("str", value)) if is_kind(value, str) else value


Json: TypeAlias = Annotated[
    JsonValue,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_after_validator_function(
            _json, core_schema.any_schema()
        )
    ),
]


class _Record(BaseModel):
    """A model that is also read as the dictionary its callers expect."""

    model_config = ConfigDict(
        strict=True,
        revalidate_instances="always",
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        held = self.__dict__
        return held[key] if key in held else (self.__pydantic_extra__ or {})[key]

    def __contains__(self, key: object) -> bool:
        if key in type(self).model_fields:
            value = self.__dict__.get(f"{key}")
            return value is not None or key in self.model_fields_set & {*self.__dict__}
        return key in (self.__pydantic_extra__ or {})

    def get(self, key: str, default: Any = None) -> Any:
        """Read a field or an extra field, as ``dict.get`` does.

        Args:
            key: The name of the field.
            default: Given for an unknown name, and for an optional field that
                was never set.
        """
        return self[key] if key in self else default  # noqa: SIM401 - this is get


class ComponentHealth(_Record):
    """The state of one component.

    Further fields are open to any JSON value. A component is always true, as
    a non-empty dictionary is; ask its ``status``.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Json]  # pyright: ignore[reportIncompatibleVariableOverride]

    status: Annotated[Literal["healthy", "degraded", "failed"], BeforeValidator(_text)]
    error: str | None = None
    error_code: str | None = None
    details: Json = None
    duration_ms: Annotated[
        Annotated[float, Field(ge=0, allow_inf_nan=False)] | None,
        BeforeValidator(_number),
    ] = None


class HealthReport(_Record):
    """The state of a service, told by its components.

    A report is true when it is healthy. It may be unhealthy without a failed
    component, but never healthy with one.
    """

    model_config = ConfigDict(extra="forbid")
    media_type: ClassVar[str] = MEDIA_TYPE

    healthy: bool
    failed_components: list[str]
    component_details: dict[str, ComponentHealth]
    error_suggestions: list[str]
    timestamp: Annotated[datetime, BeforeValidator(_moment)]
    summary: str

    def __bool__(self) -> bool:
        return self.healthy

    @property
    def http_status(self) -> int:
        """200 for a healthy service, degraded or not; 503 for any other."""
        return 503 if verdict(self) == "fail" else 200

    def to_health_json(self) -> dict[str, JsonValue]:
        """Tell the report as ``application/health+json``.

        Source: draft-inadarei-api-health-check-06.
        """
        return health_json(self)

    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Name what is wrong in the fields and between them, all at once."""
        fields = fields_of(value) if is_kind(value, HealthReport) else value
        lines = _contradictions(fields) if is_kind(fields, dict) else []
        try:
            report = handler(value)
        except ValidationError as error:
            lines = [*relayed(error, cls.model_fields), *lines]
        else:
            if not lines:
                return report
        raise ValidationError.from_exception_data(cls.__name__, lines, hide_input=True)


def check_report(value: object, model: type[HealthReport] = HealthReport) -> list[str]:
    """Name everything that keeps a value from being a right report.

    Nothing is awaited, changed or raised, and no code of the value is called,
    except the validators of a subclass of ``HealthReport``.

    Args:
        value: Anything. Right are a dictionary (also behind a
            ``MappingProxyType``) and an instance; an instance of a subclass is
            judged by its own class.
        model: The class to judge a dictionary by.

    Returns:
        One line for each violation, path first. Empty for a right report, in
        which there is no awaitable then, at any depth.
    """
    if model is HealthReport and is_plain_report(value):
        return []
    if is_kind(value, MappingProxyType):
        value = gc.get_referents(value)[0]  # reading it may be anybody's code
    if not is_kind(value, dict, model):
        return [line((), f"should be a dict or a {model.__name__}, got {noun(value)}")]
    judge = model if is_kind(value, dict) else cast("type[HealthReport]", type(value))
    faults = _faults(value, judge)
    for path, item in awaitables(value, _Record):
        faults.setdefault(path, f"should not be awaitable, got {noun(item)}")
    return [line(path, text) for path, text in faults.items()]


# --- the rules between the fields


def _contradictions(fields: dict[str, Any]) -> list[InitErrorDetails]:
    """Name where the failed components and their details disagree."""
    return [
        line_error("contradiction", why, path, value)
        for path, why, value in disagreements(fields)
    ]


# --- any value put to the models


def _faults(value: Any, model: type[HealthReport]) -> dict[Path, str]:
    """Put a dictionary or an instance to the model: what is wrong, by path."""
    strangers: dict[Path, str] = {}
    fields = cast("dict[Any, Any]", value) if is_kind(value, dict) else fields_of(value)
    faults: dict[Path, str] = {}
    try:
        model.__pydantic_validator__.validate_python(_admitted(fields, strangers))
    except ValidationError as error:
        for it in error.errors(include_url=False):
            before = faults.get(it["loc"])
            faults[it["loc"]] = f"{before}; {told(it)}" if before else told(it)
    except Exception as error:
        faults[()] = f"could not be judged, a validator raised {noun(error)}"
    return faults | strangers


def _admitted(fields: dict[Any, Any], strangers: dict[Path, str]) -> dict[str, Any]:
    """Keep from pydantic what it would ask for its attributes or its repr."""
    admitted = _named(fields, (), strangers)
    if not is_kind(admitted.get("component_details"), dict):
        return admitted
    details = _named(admitted["component_details"], ("component_details",), strangers)
    for name, component in details.items():
        path = ("component_details", name)
        if is_kind(component, dict):
            details[name] = _named(component, path, strangers)
        elif not is_kind(component, ComponentHealth):
            details[name] = None
            why = f"should be a dict or a ComponentHealth, got {noun(component)}"
            strangers[path] = why
    return admitted | {"component_details": details}


def _named(
    fields: dict[Any, Any], path: Path, strangers: dict[Path, str]
) -> dict[str, Any]:
    """Copy a dictionary without the keys that are no text."""
    named: dict[str, Any] = {}
    for key, item in dict[Any, Any].items(fields):
        if is_kind(key, str):
            named[key] = item
        else:
            why = f"should be a str as key, got {noun(key)}"
            strangers[(*path, f"<{noun(key)}>")] = why
    return named
