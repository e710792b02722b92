"""``ods/*.yaml``, and what other layers load: one table, and where it comes from."""

from typing import Annotated, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from dataplat.specs.base import Spec
from dataplat.specs.checks.base import at_most_all
from dataplat.specs.drift import TableDriftSpec
from dataplat.specs.values import Count, Day, Duration, Grain, Text, Texts, parse_percent, shown
from dataplat.specs.warehouse_table import WarehouseTable


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

    discover: Texts = Field(
        (), description="SQL that returns table names, or database and table; several are joined."
    )
    pattern: Text | None = Field(None, description="LIKE pattern of the table names.")
    identity: Text | None = Field(None, description="Column that says which table a row came from.")
    expect: Annotated[Literal["history"] | int | tuple[Text, ...] | None, BeforeValidator(_expectation)] = (
        Field(
            None,
            description="history: none that was there before is missing; or how many; or the names, with date"
            " expressions and ranges: t_flow_{00..63}_$[yyyy_MM].",
        )
    )
    retired: Texts = Field((), description="LIKE patterns of shards that are gone for good.")
    drift: Literal["align", "refuse"] = Field(
        "align",
        description="Shards whose columns differ: align reads what is missing as NULL and the widest type;"
        " refuse rejects the partition.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> "ShardsSpec":
        if bool(self.discover) == bool(self.pattern):
            raise ValueError("shards are found by `discover` or by `pattern`: exactly one of them")
        return self


class FromSpec(Spec):
    """One table of the source, or many that are read as one."""

    database: Text | None = Field(None, description="Database at the source.")
    databases: Texts = Field((), description="Its databases, where the shards are in several.")
    table: Text | None = Field(None, description="Its table there, if it is one table.")
    shards: ShardsSpec | None = Field(None, description="Its tables there, if they are many.")

    @property
    def all_databases(self) -> tuple[str, ...]:
        """Where its tables are looked for; the first is where connections begin."""
        return self.databases or (self.database or "",)

    @model_validator(mode="after")
    def _one_or_many(self) -> "FromSpec":
        if (self.database is None) == (not self.databases):
            raise ValueError(
                "`from` names a `database`, or the `databases` of its shards: exactly one of them"
            )
        if self.databases and self.shards is None:
            raise ValueError("`databases` is for `shards`; one table is in one `database`")
        if (self.table is None) == (self.shards is None):
            raise ValueError("`from` names a `table` or its `shards`: exactly one of them")
        return self


class WindowSpec(Spec):
    """Which rows of the source belong to a partition."""

    column: Text | None = Field(None, description="Time column that decides; load: incremental needs it.")
    grain: Grain = Field("day", description="How much time one partition holds.")
    start: Day | None = Field(None, description="First partition; without it the platform's.")


class SplitSpec(Spec):
    """How one read is split into parts that run at once."""

    column: Text | None = Field(None, description="Indexed column to split on; without it the key.")
    parts: Count | None = Field(None, description="Number of parts; without it as many as there is budget.")


class TypePolicySpec(Spec):
    """What becomes of values that Hive has no equal for."""

    zero_dates: Literal["null", "refuse"] = Field(
        "null", description="What 0000-00-00 becomes: NULL, or its row is a dirty one."
    )


def _tolerance(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.strip().endswith("%"):
        return at_most_all(parse_percent(value))
    raise ValueError(f"expected a number of rows or a percentage such as 0.1%, found {shown(value)}")


class DirtyRowsSpec(Spec):
    """How many rows of a partition may hold what the warehouse cannot; they go to ``<table>__quarantine``."""

    at_most: Annotated[
        int | float,
        BeforeValidator(_tolerance),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "%$"}]}),
    ] = Field(0, description="Rows, or a percentage of those read. More of them reject the partition.")

    def allowed(self, read: int) -> int:
        """Return how many of so many rows may be dirty.

        >>> DirtyRowsSpec(at_most="0.1%").allowed(2_500), DirtyRowsSpec(at_most=7).allowed(0)
        (2, 7)
        """
        return self.at_most if isinstance(self.at_most, int) else int(self.at_most * read)


class TableSpec(WarehouseTable):
    """A table that is loaded from a source. ``load_catalog`` fills in what the platform decides for it."""

    not_in_sha: ClassVar[frozenset[str]] = WarehouseTable.not_in_sha | {
        "schema_policy",
        "drift",
        "lookback",
        "allow_full_scan",
        "snapshot",
    }

    source: Text | None = Field(None, description="Name of a file in sources/.")
    sources: Texts = Field((), description="Several of them, where the shards are on several instances.")
    read_from: FromSpec = Field(alias="from", description="Where the rows are in the source.")
    load: Literal["incremental", "snapshot"] = Field(
        description="incremental: the rows of the window. snapshot: the whole table, as it is when read;"
        " several partitions that are loaded together share one read."
    )
    window: WindowSpec = Field(default_factory=WindowSpec, description="Which rows belong to a partition.")
    lookback: Duration | None = Field(
        None,
        description="A load of one partition reads those again that end within this of its end; see drift for"
        " what does so only where something changed.",
    )
    drift: TableDriftSpec | None = Field(
        None,
        description="As the platform's, but for what is said here; never leaves it alone.",
    )
    columns: Columns = Field(description='Columns or SQL with AS name; "*" takes what the source has.')
    where: Text | None = Field(None, description="Further condition; date expressions allowed.")
    split: SplitSpec | None = Field(None, description="How one read is split into parts.")
    allow_full_scan: bool = Field(
        False, description="May be read from end to end however large: beyond the budget's full_scan_rows."
    )
    snapshot: Literal["consistent"] | None = Field(
        None, description="consistent: each part of a load: snapshot is read in a transaction of its own."
    )
    types: TypePolicySpec = Field(default_factory=TypePolicySpec, description="Values that Hive lacks.")
    dirty_rows: DirtyRowsSpec | None = Field(
        None, description="Set rows aside that hold what the warehouse cannot, instead of refusing the load."
    )
    schema_policy: Literal["evolve", "refuse"] = Field(
        "evolve",
        alias="schema",
        description="What a load takes of what differs from schema.lock.yaml: what is safe, or nothing.",
    )

    @property
    def all_sources(self) -> tuple[str, ...]:
        """The instances that it is read from, in the order declared."""
        return self.sources or (self.source or "",)

    @model_validator(mode="after")
    def _one_or_several(self) -> "TableSpec":
        if (self.source is None) == (not self.sources):
            raise ValueError("a table names its `source`, or the `sources` of its shards: one of both")
        if self.sources and self.read_from.shards is None:
            raise ValueError("`sources` is for `shards`; one table is in one `source`")
        return self

    @model_validator(mode="after")
    def _snapshot_of_a_snapshot(self) -> "TableSpec":
        if self.snapshot is not None and self.load != "snapshot":
            raise ValueError("`snapshot` says how a `load: snapshot` is read; this one is incremental")
        return self

    @property
    def sets_aside(self) -> bool:
        """Whether rows that hold what the warehouse cannot are told apart and set aside."""
        return self.dirty_rows is not None or self.types.zero_dates == "refuse"

    @property
    def aligns_shards(self) -> bool:
        """Whether it has shards, of which those of one partition may lack a column that others have."""
        return self.read_from.shards is not None and self.read_from.shards.drift == "align"
