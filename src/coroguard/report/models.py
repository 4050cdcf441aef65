"""The models of a health report, which hold its rules."""

from datetime import datetime
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

from .._inspect.awaitables import is_kind
from .._inspect.contents import FROZENDICT
from .consistency import disagreements
from .health_json import MEDIA_TYPE, health_json, verdict
from .json_values import (
    DATETIME,
    MAPPINGS,
    fields_of,
    is_exact_json,
    items_of,
    json_faults,
)
from .violations import line_error, relayed


def _json(value: object) -> object:
    """Refuse objects that are not JSON values, with each place inside."""
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
            moment = DATETIME[0].fromisoformat(str.__str__(cast("str", value)))
        except ValueError:
            moment = None
    if not is_kind(moment, *DATETIME):
        message = "should be a datetime or ISO 8601 text"
        raise PydanticCustomError("moment", message)
    if cast("datetime", moment).tzinfo is None:
        raise PydanticCustomError("moment", "should have a time zone")
    return moment


def _number(value: object) -> object:
    """Refuse objects whose ``__float__`` pydantic would call."""
    if value is None or is_kind(value, int, float):
        return value
    raise PydanticCustomError("number", "should be a valid number")


def _text(value: object) -> object:
    """Return the text of a string enumeration, in every version of pydantic."""
    return str.__str__(cast("str", value)) if is_kind(value, str) else value


Json: TypeAlias = Annotated[
    JsonValue,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_after_validator_function(
            _json, core_schema.any_schema()
        )
    ),
]


class Record(BaseModel):
    """A model that is also read as the dictionary its callers expect."""

    model_config = ConfigDict(
        strict=True,
        revalidate_instances="always",
        hide_input_in_errors=True,
        populate_by_name=True,
        defer_build=True,  # costs as much as the import, and few programs need it
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
            default: Returned for an unknown name, and for an optional field
                that was never set.
        """
        return self[key] if key in self else default  # noqa: SIM401 - this is get


class ComponentHealth(Record):
    """The state of one component.

    Further fields are open to any JSON value. A component is always true, as
    a non-empty dictionary is; ask its ``status``.

    Attributes:
        status: ``healthy``, ``degraded`` or ``failed``.
        error: What is wrong, for a person.
        error_code: What is wrong, for a program, such as ``AUTH_TIMEOUT``.
        details: JSON values that explain the status.
        duration_ms: How long the check took, in milliseconds.
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


class HealthReport(Record):
    """The state of a service and of its components.

    A report is true when it is healthy. It may be unhealthy without a failed
    component, but never healthy with one.

    Attributes:
        healthy: Whether the service can do its work.
        failed_components: Names of the components whose status is ``failed``.
        component_details: The components, by name.
        error_suggestions: What a person can do.
        timestamp: When the report was made, with a time zone; ISO 8601 text is
            accepted.
        summary: One line for a person.
    """

    model_config = ConfigDict(extra="forbid")
    media_type: ClassVar[str] = MEDIA_TYPE

    healthy: bool
    failed_components: list[str]
    component_details: dict[str, ComponentHealth]
    error_suggestions: list[str]
    timestamp: Annotated[
        datetime,
        GetPydanticSchema(  # of its own, as pydantic may be built under a frozen clock
            lambda _source, _handler: core_schema.no_info_before_validator_function(
                _moment, core_schema.datetime_schema()
            )
        ),
    ]
    summary: str

    def __bool__(self) -> bool:
        return self.healthy

    @property
    def http_status(self) -> int:
        """200 for a healthy service, degraded or not; 503 for any other."""
        return 503 if verdict(self) == "fail" else 200

    def to_health_json(self) -> dict[str, JsonValue]:
        """Return the report as ``application/health+json``.

        Source: draft-inadarei-api-health-check-06.
        """
        return health_json(self)

    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise for all that is wrong in the fields and between them, at once."""
        value = _thawed(value)
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


def _thawed(value: Any) -> Any:
    """Return a report of frozen dictionaries as pydantic takes it."""
    if FROZENDICT is None or not is_kind(value, *MAPPINGS):
        return value
    fields = dict(items_of(value))
    details = fields.get("component_details")
    if is_kind(details, *MAPPINGS):
        fields["component_details"] = {
            name: dict(items_of(it)) if is_kind(it, FROZENDICT) else it
            for name, it in items_of(details)
        }
    return fields


def _contradictions(fields: dict[str, Any]) -> list[InitErrorDetails]:
    """Return where the failed components and their details disagree."""
    return [
        line_error("contradiction", why, path, value)
        for path, why, value in disagreements(fields)
    ]
