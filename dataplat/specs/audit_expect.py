"""``expect`` of an audited table: what its number of rows is compared with."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from dataplat.specs.base import Spec
from dataplat.specs.delimiters import EXPECTED, delimiter_bytes
from dataplat.specs.values import Count, Percent, TableName, Text, shown

AuditFormat = Literal["orc", "parquet", "textfile", "avro", "sequencefile"]


def _readable(text: str) -> str:
    try:
        delimiter_bytes(text)
    except ValueError as error:
        raise ValueError(f"expected {EXPECTED}, found {error}") from error
    return text


def _at_most_all(share: float) -> float:
    if share > 1:
        raise ValueError("rows cannot fall by more than 100%")
    return share


Delimiter = Annotated[str, AfterValidator(_readable)]


class _ShortForm(Spec):
    """A spec that a single text may stand for: its first field."""

    @model_validator(mode="before")
    @classmethod
    def _accept_short_form(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {next(iter(cls.model_fields)): value}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        full = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [full["properties"][next(iter(full["properties"]))], full]}


class SqlExpectation(Spec):
    """A number that a source counts."""

    source: Text = Field(description="Name of a file in sources/.")
    query: Text = Field(description="SQL that returns one number; ${data_date} and the like are filled in.")


class PathExpectation(_ShortForm):
    """The rows of other files."""

    path: Text = Field(description="Files or a folder; ${data_date} and the like are filled in.")
    format: AuditFormat | None = Field(None, description="What those files are; without it as the table's.")
    delimiter: Delimiter | None = Field(None, description="What ends a line of them, if they are text.")


class TableExpectation(_ShortForm):
    """The rows of another audited table, in the same run or the newest that is known."""

    name: Text = Field(description="`name` of a table that is audited.")
    partition_template: Text | None = Field(
        None, description="Which partition of it, as written there; without it that of the same date."
    )


class HistoryExpectation(Spec):
    """The average of its own last counts."""

    against: Count = Field(7, description="How many earlier counts to compare with.")
    drop: Annotated[Percent, AfterValidator(_at_most_all)] | None = Field(
        None, description="Allowed below their average, at most 100%."
    )
    rise: Percent | None = Field(None, description="Allowed above their average.")

    @model_validator(mode="after")
    def _bounded(self) -> "HistoryExpectation":
        if self.drop is None and self.rise is None:
            raise ValueError("history needs drop or rise, or it allows everything")
        return self


class ExpectSpec(Spec):
    """What the number of rows must be; exactly one of the ways to know it."""

    sql: SqlExpectation | None = Field(None, description="A number that a source counts.")
    path: PathExpectation | None = Field(None, description="The rows of other files.")
    table: TableExpectation | None = Field(None, description="The rows of another audited table.")
    history: HistoryExpectation | None = Field(None, description="The average of its own last counts.")
    ledger: TableName | None = Field(
        None, description="Rows of the published partition of a table that dataplat made."
    )
    tolerance: Percent = Field(0.0, description="How far the rows may be away from what is expected.")
    severity: Literal["error", "warn"] = Field(
        "error", description="error: downstreams are held. warn: it is told, and nothing is held."
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_none(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError(
                f"expected one of sql, path, table, history, ledger with its details, found {shown(value)}"
            )
        return value

    @model_validator(mode="after")
    def _one_way(self) -> "ExpectSpec":
        ways = list(self.ways())
        if len(ways) != 1:
            found = ", ".join(ways) or "none"
            raise ValueError(f"expected one of sql, path, table, history, ledger, found {found}")
        if self.history and "tolerance" in self.model_fields_set:
            raise ValueError("history has drop and rise; tolerance is for the other ways")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"const": "none"}, handler.resolve_ref_schema(handler(schema))]}

    def ways(self) -> Iterator[str]:
        """Yield the ways that are given: one, once it is valid."""
        for name in ("sql", "path", "table", "history", "ledger"):
            if getattr(self, name) is not None:
                yield name
