"""Checks that look at other tables too."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from dataplat.specs.checks.base import CheckSpec, Part, Ratio, table_word
from dataplat.specs.problems import Loc
from dataplat.specs.values import TableName, Text, Texts


class FanOutCheck(CheckSpec):
    """Joining has not multiplied rows.

    With ``of``: rows of the partition for each row of that table's partition. With ``per``: rows for each
    distinct key. With both: rows for each key here, for each row a key has there.
    """

    kind = "fan_out"
    of: TableName | None = Field(None, description="Table whose published partition of the same time counts.")
    per: Texts = Field((), description="Columns of the key, named alike in both tables.")
    at_most: Ratio = Field(1.0, description="Greatest number of rows for one.")
    at_least: Ratio | None = Field(None, description="Least number of rows for one.")

    @property
    def named_after(self) -> tuple[str, ...]:
        return (*self.per, *([table_word(self.of)] if self.of else []))

    def columns_at(self) -> Iterator[tuple[Loc, str]]:
        for index, name in enumerate(self.per):
            yield ("per", index), name

    def tables_at(self) -> Iterator[tuple[Loc, str]]:
        if self.of:
            yield ("of",), self.of

    def columns_there_at(self) -> Iterator[tuple[Loc, str, str]]:
        for index, name in enumerate(self.per if self.of else ()):
            yield ("per", index), self.of or "", name

    @model_validator(mode="after")
    def _bounded(self) -> "FanOutCheck":
        if not self.of and not self.per:
            raise ValueError("fan_out needs `of`, a table, or `per`, the columns of a key")
        if self.at_least is not None and self.at_least > self.at_most:
            raise ValueError("at_least is greater than at_most, so nothing is allowed")
        return self


class ReferentialCheck(CheckSpec):
    """What stands in the columns exists in another table's partition of the same time, or is NULL."""

    kind = "referential"
    columns: Annotated[Texts, Field(min_length=1)] = Field(description="Columns of the table.")
    of: TableName = Field(description="Table in whose published partition of the same time they must exist.")
    to: Texts = Field((), description="Its columns, in the same order; without it those of the same name.")
    missing: Part = Field(0.0, description="Share of rows that may lead nowhere.")

    @property
    def columns_there(self) -> tuple[str, ...]:
        return self.to or self.columns

    @property
    def named_after(self) -> tuple[str, ...]:
        return (*self.columns, table_word(self.of))

    def columns_at(self) -> Iterator[tuple[Loc, str]]:
        for index, name in enumerate(self.columns):
            yield ("columns", index), name

    def tables_at(self) -> Iterator[tuple[Loc, str]]:
        yield ("of",), self.of

    def columns_there_at(self) -> Iterator[tuple[Loc, str, str]]:
        key = "to" if self.to else "columns"
        for index, name in enumerate(self.columns_there):
            yield (key, index), self.of, name

    @model_validator(mode="after")
    def _as_many(self) -> "ReferentialCheck":
        if len(self.columns_there) != len(self.columns):
            raise ValueError(
                f"`to` names as many columns as `columns`: expected {len(self.columns)}, found {len(self.to)}"
            )
        return self


class SqlCheck(CheckSpec):
    """A query returns no row. What it returns are the offending rows.

    ``{{ staged }}`` stands for the rows of the partition; other tables are read where they are published.
    """

    kind = "sql"
    query: Text = Field(description="SELECT of the offending rows; {{ staged }}, {{ ds }} and $[…] allowed.")

    @model_validator(mode="after")
    def _named(self) -> "SqlCheck":
        if self.given_name is None:
            raise ValueError("sql needs a `name`: people are alerted by it")
        return self
