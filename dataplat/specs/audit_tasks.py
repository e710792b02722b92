"""``tasks`` and ``results`` of an audit: where finished tasks are read, and where counts are written.

The keys are those of the ``clickhouse`` and ``mysql`` sections of the old auditor's ``db_config.yaml``.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dataplat.specs.base import Spec
from dataplat.specs.secrets import Secret, SecretText
from dataplat.specs.values import Count, Text, Texts, WholeNumber, ZoneName, shown

HTTP_PORT, HTTPS_PORT = 8123, 8443
NATIVE_PORTS = (9000, 9440)
_MOST_HOURS = 87_600.0

Port = Annotated[WholeNumber, Field(ge=1, le=65535)]


def http_port(port: int) -> int:
    """Return the port if HTTP may be spoken there.

    Raises:
        ValueError: It is one of ClickHouse's native protocol.
    """
    if port in NATIVE_PORTS:
        raise ValueError(
            f"{port} speaks ClickHouse's native protocol; expected the HTTP port, {HTTP_PORT} or with TLS "
            f"{HTTPS_PORT}"
        )
    return port


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number such as 0.5, found {shown(value)}")
    if not -_MOST_HOURS * 3600 <= value <= _MOST_HOURS * 3600:
        raise ValueError(f"expected ten years at most, found {shown(value)}")
    return float(value)


Number = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
_NotNegative = Annotated[Number, Field(ge=0)]


class TaskListSpec(Spec):
    """Where a scheduler writes down which tasks it has finished: a ClickHouse, or any SQL database."""

    host: Text | None = Field(None, description="Host of a ClickHouse; several in `hosts`.")
    hosts: Texts = Field((), description="Hosts of a ClickHouse: the first is asked, the others if it fails.")
    port: Annotated[Port, AfterValidator(http_port)] | None = Field(
        None, description="HTTP port; without it 8123, with TLS 8443."
    )
    database: Text = Field("default", description="Database of the ClickHouse.")
    user: Text = Field("default", description="User of the ClickHouse.")
    password: Secret | None = Field(None, description="${NAME} or {secret: path}; without it none.")
    secure: bool = Field(False, description="Whether the ClickHouse is spoken to by TLS.")
    verify: bool = Field(True, description="Whether its certificate must be right.")
    ca_cert: Text | None = Field(None, description="File of the authority that signed its certificate.")
    connect: SecretText | None = Field(
        None, description="Or an SQLAlchemy URL: mysql+pymysql://user:${NAME}@host/dolphinscheduler"
    )
    query_template: Text = Field(
        description="SQL with {start_time}, {end_time} and {data_date} that returns task_name, or task_name, "
        "period_type, batch_no, or these and the time at which the task ended."
    )
    timezone: ZoneName | None = Field(
        None, description="Zone of the times in the query and its result; without it the platform's."
    )
    timeout_seconds: Count = Field(60, description="How long a question may take.")
    watermark_enabled: bool = Field(True, description="Whether it is remembered how far audits have come.")
    watermark_path: Text | None = Field(
        None,
        description="JSON file of the watermark; relative to the folder that holds the configuration. The "
        "ledger keeps it if no file is named.",
    )
    watermark_overlap_seconds: _NotNegative = Field(600.0, description="How late a task may be written down.")
    watermark_max_window_hours: Number = Field(
        24.0, description="How much one run looks at after a stop; 0 or less is no limit."
    )
    hours_lookback: _NotNegative = Field(24.0, description="How far to look back without a watermark.")
    watermark_advance_on_failure: bool = Field(
        False, description="Go on although counts failed; only where they are run again by other means."
    )
    sensor: bool = Field(
        False, description="Whether the daemon asks too and launches a run for each task that ended."
    )

    @model_validator(mode="after")
    def _one_place(self) -> "TaskListSpec":
        places = [name for name in ("host", "hosts", "connect") if getattr(self, name)]
        if len(places) > 1:
            raise ValueError(f"expected one of host, hosts and connect, found {' and '.join(places)}")
        return self


class ResultsSpec(Spec):
    """Where results are written: a MySQL, or any database that the ledger can be in."""

    host: Text | None = Field(None, description="Host of the MySQL.")
    port: Port = Field(3306, description="Its port.")
    database: Text | None = Field(None, description="Its database: data_audit.")
    user: Text | None = Field(None, description="User who may read and write the table.")
    password: Secret | None = Field(None, description="${NAME} or {secret: path}; without it none.")
    charset: Text = Field("utf8mb4", description="Character set of the connection.")
    connect: SecretText | None = Field(
        None, description="Or an SQLAlchemy URL: mysql+pymysql://user:${NAME}@host/data_audit"
    )

    @model_validator(mode="after")
    def _one_place(self) -> "ResultsSpec":
        if self.connect is not None and self.host is not None:
            raise ValueError("expected one of host and connect, found both")
        return self
