"""``readiness/*.yaml``: how to find out whether a partition of somebody else's table may be read.

A file names an external table and the probes that must all say yes. What they ask is rendered for one
partition: date expressions ``$[…]`` take their base from its start, never from the clock. Connections are
the file's, not a probe's, so that the two log tables of one scheduler are asked in one place.
"""

import re
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from dataplat.specs.base import DeclaredSpec, Spec
from dataplat.specs.secrets import SecretText
from dataplat.specs.table import WindowSpec
from dataplat.specs.values import Day, Duration, Grain, PlainText, TableName, Text, Texts, WholeNumber, shown

_ROWS = re.compile(r"(>=|<=|=|>|<)\s*([0-9]{1,9})")


def parse_rows(value: object) -> tuple[str, int]:
    """Return the comparison and the number of ``>= 1``; a number alone means exactly so many.

    >>> parse_rows(">= 1"), parse_rows(0)
    (('>=', 1), ('=', 0))
    """
    if isinstance(value, tuple):
        return value
    text = f"= {value}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    match = _ROWS.fullmatch(text.strip())
    if not match:
        raise ValueError(f"expected a number of rows such as '>= 1', found {shown(value)}")
    return match[1], int(match[2])


Rows = Annotated[
    tuple[str, int],
    BeforeValidator(parse_rows),
    PlainSerializer(lambda rows: f"{rows[0]} {rows[1]}", return_type=str),
    WithJsonSchema({"type": ["string", "integer"], "examples": [">= 1"]}),
]


class ProbeSpec(Spec):
    """One question, and the answer that means yes: SQL, a path or an HTTP address."""

    sql: Text | None = Field(None, description="A query; date expressions allowed.")
    rows: Rows | None = Field(None, description="How many rows it must return; without it, and newest, >= 1.")
    newest: dict[Text, PlainText] = Field(
        default_factory=dict,
        description="What the first row must hold, by column: the query puts the newest first, and only its "
        "state counts.",
    )
    landed: Text | None = Field(None, description="Column of the first row that says when it landed.")
    path: Text | None = Field(None, description="A file or folder: hdfs://…/$[yyyyMMdd]/_SUCCESS.")
    url: Text | None = Field(None, description="An HTTP address, asked with GET.")
    status: Annotated[WholeNumber, Field(ge=100, le=599)] = Field(200, description="HTTP status.")
    body: dict[Text, PlainText] = Field(
        default_factory=dict,
        alias="json",
        description="What its JSON must hold, by dotted path: {data.state: done}.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "ProbeSpec":
        if sum(one is not None for one in (self.sql, self.path, self.url)) != 1:
            raise ValueError("a probe is one of `sql`, `path` and `url`")
        if self.sql is None and (self.rows or self.newest or self.landed):
            raise ValueError("`rows`, `newest` and `landed` belong to `sql`")
        if self.url is None and (self.body or "status" in self.model_fields_set):
            raise ValueError("`status` and `json` belong to `url`")
        return self


class ReadinessSpec(DeclaredSpec):
    """When partitions of an external table may be read. Its name is the name of its file."""

    secret_keys: ClassVar[frozenset[str]] = frozenset({"connect"})

    table: TableName = Field(description="database.table, as models name it, or any name for a mere signal.")
    description: str = Field("", description="What is waited for, for people.")
    owner: Texts = Field((), description="Whom to ask when it is late.")
    grain: Grain = Field("day", description="How much time one partition holds.")
    start: Day | None = Field(None, description="First partition; without it the platform's.")
    source: Text | None = Field(None, description="Source that `sql` is asked at: a file in sources/.")
    database: Text | None = Field(None, description="Database at that source.")
    connect: SecretText | None = Field(
        None, description="Or an SQLAlchemy URL: clickhousedb://user:${NAME}@host/db, mysql+pymysql://…"
    )
    probes: Annotated[tuple[ProbeSpec, ...], Field(min_length=1)] = Field(
        description="Questions that must all be answered as expected."
    )
    lookback: Duration = Field(
        timedelta(days=3), description="How long after its end a partition is asked about."
    )
    timeout: Duration = Field(timedelta(seconds=10), description="How long one question may take.")

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.declared.path.stem

    @property
    def window(self) -> WindowSpec:
        """The grain and the first partition, named as tables name them."""
        return WindowSpec(grain=self.grain, start=self.start)

    @property
    def external_path(self) -> tuple[str, ...]:
        """The asset of the table."""
        return ("external", *self.table.split("."))

    @model_validator(mode="after")
    def _one_connection(self) -> "ReadinessSpec":
        asks = any(probe.sql for probe in self.probes)
        if asks and (self.source is None) == (self.connect is None):
            raise ValueError("`sql` is asked at a `source` or at `connect`: exactly one of them")
        return self
