"""``platform.yaml``: what holds for every table unless the table says otherwise."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from dataplat.specs.base import DeclaredSpec, Spec
from dataplat.specs.drift import DriftSpec
from dataplat.specs.secrets import SecretText
from dataplat.specs.values import (
    Count,
    Day,
    Duration,
    Grain,
    JvmMemory,
    PlainText,
    TableName,
    Text,
    Texts,
    ZoneName,
    shown,
)

_SECRET_NAME = re.compile(r"(password|passwd|secret|token|(secret|access|private)[._-]?key)$", re.IGNORECASE)
_PARTITION_COLUMN = re.compile(r"[a-z_][a-z0-9_]*")


def _no_secret_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    for name in settings:
        if _SECRET_NAME.search(name):
            raise ValueError(f"'{name}' is a secret, and this would print it; {_REMEDY}")
    return settings


_REMEDY = "give it to the component itself: its own file, credential provider or environment"
Settings = Annotated[dict[str, PlainText], AfterValidator(_no_secret_settings)]


class EngineSpec(Spec):
    """A Spark engine: where it runs and with what."""

    mode: Literal["local", "connect", "classic"] = Field(
        "local",
        description="local: one Spark Connect server a machine, started on demand. connect: a server that "
        "somebody runs. classic: a driver of its own in every process.",
    )
    remote: Text | None = Field(None, description="Spark Connect server for mode connect: sc://host:15002.")
    master: Text = Field("local[*]", description="Spark master: local[*], yarn, k8s://…")
    driver_memory: JvmMemory = Field("2g", description="Memory of the driver or of the local server.")
    conf: Settings = Field(default_factory=dict, description="Spark settings, as for spark-submit --conf.")
    hive_metastore_uris: Text | None = Field(
        None,
        alias="hive.metastore.uris",
        description="Hive metastore, thrift://host:9083; without it the engine keeps a catalog of its own.",
    )
    jars: Text | None = Field(None, description="Further jars, comma-separated paths.")

    @model_validator(mode="after")
    def _remote_fits_mode(self) -> "EngineSpec":
        if (self.mode == "connect") != (self.remote is not None):
            raise ValueError("mode connect and `remote: sc://host:15002` go together")
        if self.remote and not self.remote.startswith("sc://"):
            raise ValueError("remote starts with sc://")
        if self.remote and ";token=" in self.remote:
            raise ValueError("a token in remote would be printed; set SPARK_CONNECT_AUTHENTICATE_TOKEN")
        return self


class RetentionSpec(Spec):
    """How long superseded versions of a partition are kept. The visible one is never collected."""

    versions: Count = Field(3, description="Versions of a partition that are kept, the visible one included.")
    grace: Duration = Field(
        timedelta(days=2), description="A superseded version younger than this is kept whatever its number."
    )


class AutomationSpec(Spec):
    """Launching what nobody asked for."""

    lookback: Duration = Field(
        timedelta(days=7),
        description="How far back a late or repaired upstream still launches what reads it.",
    )


def _hive_name(name: str) -> str:
    if not _PARTITION_COLUMN.fullmatch(name):
        raise ValueError(f"{shown(name)} is no Hive column of lower-case letters, digits and _")
    return name


def _with_tokens(*tokens: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        rest = text
        for token in tokens:
            rest = rest.replace(token, "", 1)
        if len(rest) != len(text) - sum(map(len, tokens)) or not re.fullmatch(r"[-_.]*", rest):
            raise ValueError(f"{shown(text)} must hold {', '.join(tokens)} once each, and else only - _ .")
        return text

    return check


HiveName = Annotated[Text, AfterValidator(_hive_name)]


class PartitionFormatSpec(Spec):
    """How a partition is named in Hive: ds=2026-01-09, hr=05."""

    column: HiveName = Field("ds", description="Partition column of days and months.")
    format: Annotated[Text, AfterValidator(_with_tokens("yyyy", "MM", "dd"))] = Field(
        "yyyy-MM-dd", description="How a day is written: yyyy, MM, dd and separators."
    )
    hour_column: HiveName = Field("hr", description="Second partition column of hourly tables, as 05.")
    month_format: Annotated[Text, AfterValidator(_with_tokens("yyyy", "MM"))] = Field(
        "yyyy-MM", description="How a month is written in monthly tables."
    )


class ExternalSpec(Spec):
    """A table of the metastore that somebody else makes and models may read.

    A name alone is a table that is read as a whole. With a grain it has partitions, and a model must filter
    them as it does those of any other upstream.
    """

    table: TableName = Field(description="database.table in Hive.")
    grain: Grain | None = Field(None, description="How much time one partition holds; without it none.")
    partition: PartitionFormatSpec = Field(
        default_factory=PartitionFormatSpec, description="How partitions are named; else as the platform's."
    )
    columns: Texts = Field((), description="Its columns, if models are to be checked against them.")

    @model_validator(mode="before")
    @classmethod
    def _accept_short_form(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {"table": value}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        full = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [full["properties"]["table"], full]}


def _engine_names(engines: dict[str, EngineSpec]) -> dict[str, EngineSpec]:
    if "default" in engines:
        raise ValueError("the engine called default is `engine`, not one of `engines`")
    return engines


def _warehouse_uri(uri: str) -> str:
    if not re.match(r"[a-z][a-z0-9+.-]*:", uri):
        raise ValueError("expected a URI such as file:///path or hdfs://nameservice/path")
    if "@" in uri.split("//")[-1].split("/")[0]:
        raise ValueError("holds no user or password: the file system authenticates by itself")
    return uri


def _ledger_url(url: SecretText) -> SecretText:
    if not re.match(r"[a-z][a-z0-9+]*://|[${]", str(url)):
        raise ValueError(
            "expected a database URL such as sqlite:///path or mysql+pymysql://user:${NAME}@host/db"
        )
    return url


class PlatformSpec(DeclaredSpec):
    """The platform: its time zone, its warehouse, its ledger and its engines."""

    secret_keys: ClassVar[frozenset[str]] = frozenset({"ledger"})

    timezone: ZoneName = Field(description="Where a business day begins; a partition is a day there.")
    home: Text = Field(".dataplat", description="Folder for what the platform keeps on this machine.")
    warehouse: Annotated[Text, AfterValidator(_warehouse_uri)] = Field(
        description="Where tables are stored: file:///… or hdfs://…"
    )
    ledger: Annotated[SecretText, AfterValidator(_ledger_url)] = Field(
        description="SQLAlchemy URL of the ledger: sqlite:///… or mysql+pymysql://…"
    )
    engine: EngineSpec = Field(default_factory=EngineSpec, description="The engine of tables that name none.")
    engines: Annotated[dict[str, EngineSpec], AfterValidator(_engine_names)] = Field(
        default_factory=dict, description="Further engines, by name."
    )
    retention: RetentionSpec = Field(default_factory=RetentionSpec, description="How long versions are kept.")
    partition: PartitionFormatSpec = Field(
        default_factory=PartitionFormatSpec, description="How partitions are named in Hive."
    )
    automation: AutomationSpec = Field(
        default_factory=AutomationSpec, description="What is made without anybody asking."
    )
    drift: DriftSpec | None = Field(
        None, description="Load what changed at its source after it was loaded; without it only by command."
    )
    external: tuple[ExternalSpec, ...] = Field(
        (), description="Tables that somebody else makes and models read: names, or names with a grain."
    )
    udfs: Texts = Field(
        (), description="Python modules whose UDFs models may call: my_company.udfs, or my_company.udfs:one"
    )
    udf_files: dict[Text, Text] = Field(
        default_factory=dict, description="Files that UDFs read in place of their own: {parse_ip: ip.csv}"
    )
    functions: Texts = Field(
        (), description="Functions that metastore, jars or server bring, besides those of Spark 4.3."
    )
    start: Day = Field(date(2025, 1, 1), description="First partition of tables that give none.")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def engine_names(self) -> tuple[str, ...]:
        return ("default", *self.engines)

    def engine_named(self, name: str) -> EngineSpec:
        """Return the engine that a table names; ``default`` is ``engine``. KeyError for any other."""
        return self.engine if name == "default" else self.engines[name]
