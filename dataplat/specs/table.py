"""``ods/*.yaml`` and the other layers: one table, where it comes from and what must hold for it."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from dataplat.specs.base import DeclaredSpec, Spec
from dataplat.specs.checks import CheckEntry, CheckSpec
from dataplat.specs.platform import PartitionFormatSpec, RetentionSpec
from dataplat.specs.values import Count, Cron, Day, PlainText, Text, Texts, WholeNumber, shown

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*")
_OWNER = re.compile(r"team:[\w.-]+|[\w.+-]+@[\w-]+(\.[\w-]+)+")
_TAG_VALUE = re.compile(r"[A-Za-z0-9_.-]{0,63}")
_TAG_KEY = re.compile(r"([A-Za-z0-9_.-]{1,63}/)?[A-Za-z0-9_.-]{1,63}")
_NOT_IN_SHA = {"description", "owner", "group", "schedule", "engine", "retention", "tags", "retries"}


def _table_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{shown(text)} is not database.table of letters, digits and _")
    return text


def _owners(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _OWNER.fullmatch(name):
            raise ValueError(f"{shown(name)} is neither team:name nor a mail address")
    return names


def _tags(tags: dict[str, str]) -> dict[str, str]:
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key) or not _TAG_VALUE.fullmatch(value):
            raise ValueError(f"{shown(key)}: keys and values are up to 63 letters, digits, _ - and .")
    return tags


def _expectation(value: object) -> object:
    if isinstance(value, list | tuple) or value == "history":
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"expected history, a number of shards or a list of their names, found {shown(value)}")


def _column(value: object) -> object:
    return value if isinstance(value, ColumnSpec | dict) else {"text": value}


class ColumnSpec(Spec):
    """One entry of ``columns`` as written; ``plan`` reads the SQL in it."""

    text: Text = Field(description="Column, or SQL of the source with AS name.")


ColumnEntry = Annotated[
    ColumnSpec, BeforeValidator(_column), WithJsonSchema({"type": "string", "minLength": 1})
]
Columns = Annotated[
    Annotated[tuple[ColumnEntry, ...], Field(min_length=1), Tag("list")]
    | Annotated[Literal["*"], Tag("all")],
    Discriminator(lambda value: "all" if isinstance(value, str) else "list"),
]


class ShardsSpec(Spec):
    """Many physical tables that are one logical table."""

    discover: Texts = Field((), description="SQL that returns table names; several are joined.")
    pattern: Text | None = Field(None, description="LIKE pattern of the table names.")
    identity: Text | None = Field(None, description="Column that says which table a row came from.")
    expect: Annotated[Literal["history"] | int | tuple[Text, ...] | None, BeforeValidator(_expectation)] = (
        Field(None, description="history: none that was there before is missing; or a number; or the names.")
    )

    @model_validator(mode="after")
    def _one_way(self) -> "ShardsSpec":
        if bool(self.discover) == bool(self.pattern):
            raise ValueError("shards are found by `discover` or by `pattern`: exactly one of them")
        return self


class FromSpec(Spec):
    """One table of the source, or many that are read as one."""

    database: Text = Field(description="Database at the source.")
    table: Text | None = Field(None, description="Its table there, if it is one table.")
    shards: ShardsSpec | None = Field(None, description="Its tables there, if they are many.")

    @model_validator(mode="after")
    def _one_or_many(self) -> "FromSpec":
        if (self.table is None) == (self.shards is None):
            raise ValueError("`from` names a `table` or its `shards`: exactly one of them")
        return self


class WindowSpec(Spec):
    """Which rows of the source belong to a partition."""

    column: Text | None = Field(None, description="Time column that decides; load: incremental needs it.")
    grain: Literal["hour", "day", "month"] = Field("day", description="How much time one partition holds.")
    start: Day | None = Field(None, description="First partition; without it the platform's.")


class SplitSpec(Spec):
    """How one read is split into parts that run at once."""

    column: Text | None = Field(None, description="Indexed column to split on; without it the key.")
    parts: Count | None = Field(None, description="Number of parts; without it as many as there is budget.")


class TypePolicySpec(Spec):
    """What becomes of values that Hive has no equal for."""

    zero_dates: Literal["null", "refuse"] = Field("null", description="What 0000-00-00 becomes.")


class RetrySpec(Spec):
    """How often a load is tried again after a failure that may pass."""

    count: Annotated[WholeNumber, Field(ge=0, le=10)] = Field(2, description="Further attempts.")
    delay_seconds: Annotated[WholeNumber, Field(ge=0)] = Field(30, description="Pause before each.")


class TableSpec(DeclaredSpec):
    """One table of the warehouse. ``load_catalog`` fills in what the platform decides for it."""

    table: Annotated[Text, AfterValidator(_table_name)] = Field(description="database.table in Hive.")
    description: str = Field("", description="What one row is, for people.")
    owner: Annotated[Texts, AfterValidator(_owners)] = Field((), description="team:name or mail addresses.")
    group: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_]+$")] | None = Field(
        None, description="Group in the asset graph; without it the source."
    )
    source: Text = Field(description="Name of a file in sources/.")
    read_from: FromSpec = Field(alias="from", description="Where the rows are in the source.")
    load: Literal["incremental", "snapshot"] = Field(
        description="incremental: the rows of the window. snapshot: the whole table, once a partition."
    )
    window: WindowSpec = Field(default_factory=WindowSpec, description="Which rows belong to a partition.")
    columns: Columns = Field(description='Columns or SQL with AS name; "*" takes what the source has.')
    where: Text | None = Field(None, description="Further condition; date expressions allowed.")
    key: Texts = Field((), description="Columns that tell rows apart.")
    split: SplitSpec | None = Field(None, description="How one read is split into parts.")
    check_entries: tuple[CheckEntry, ...] = Field(
        (), alias="checks", description="What must hold; the row count is always compared."
    )
    schedule: Cron | None = Field(None, description="Five cron fields, in the platform's time zone.")
    engine: Text = Field("default", description="default, or one of the platform's engines.")
    format: Literal["parquet", "orc"] = Field("parquet", description="File format.")
    partition: PartitionFormatSpec = Field(
        default_factory=PartitionFormatSpec, description="How partitions are named; else as the platform's."
    )
    types: TypePolicySpec = Field(default_factory=TypePolicySpec, description="Values that Hive lacks.")
    retention: RetentionSpec = Field(
        default_factory=RetentionSpec, description="How long versions are kept; else as the platform's."
    )
    tags: Annotated[dict[str, PlainText], AfterValidator(_tags)] = Field(
        default_factory=dict, description="Tags in Dagster."
    )
    sensitive: Texts = Field((), description="Columns whose values are never shown.")
    retries: RetrySpec = Field(default_factory=RetrySpec, description="Attempts after a failure.")

    @property
    def database(self) -> str:
        return self.table.split(".")[0]

    @property
    def name(self) -> str:
        return self.table.split(".")[1]

    @property
    def layer(self) -> str:
        """The folder of its file: ods, dim, dw or ads."""
        return self.declared.folder or self.database

    @property
    def asset_path(self) -> tuple[str, str, str]:
        return (self.layer, self.database, self.name)

    @property
    def checks(self) -> tuple[CheckSpec, ...]:
        return tuple(entry.check for entry in self.check_entries)

    def check_at(self, name: str) -> str:
        """Return where a check was declared: ``config/ods/x.yaml:14 checks[1].unique``."""
        for index, check in enumerate(self.checks):
            if check.name == name:
                return self.declared.at("checks", index, check.kind)
        return self.declared.at()

    def sha(self, **surroundings: str) -> str:
        """Return 12 hex digits that change when what is loaded or checked would.

        Owner, schedule, tags and the like are left out: they change nothing in the table.
        """
        content: Mapping[str, Any] = self.model_dump(mode="json", by_alias=True, exclude=_NOT_IN_SHA)
        text = json.dumps([content, surroundings], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
