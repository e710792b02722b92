"""Checks of how many rows there are, alone and in proportion."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from dataplat.specs.base import Spec
from dataplat.specs.checks.base import CheckSpec
from dataplat.specs.problems import Loc
from dataplat.specs.values import Count, Percent, TableName, Text


class MinRowsCheck(CheckSpec):
    """The partition has at least so many rows."""

    kind = "min_rows"
    short_form = "rows"
    rows: Count = Field(description="The least number of rows.")


def _at_most_all(drop: float) -> float:
    if drop > 1:
        raise ValueError("expected at most 100%: there are no fewer than no rows")
    return drop


class VolumeCheck(CheckSpec):
    """The number of rows is near the average of the partitions before it."""

    kind = "volume"
    against: Count | None = Field(None, description="How many earlier partitions to compare with.")
    same_weekday: Count | None = Field(
        None, description="Instead: how many earlier weeks, each at the same day and hour of the week."
    )
    drop: Annotated[Percent, AfterValidator(_at_most_all)] | None = Field(
        None, description="Allowed below their average, at most 100%."
    )
    rise: Percent | None = Field(None, description="Allowed above their average.")

    @model_validator(mode="after")
    def _bounded(self) -> "VolumeCheck":
        if (self.against is None) == (self.same_weekday is None):
            raise ValueError("volume compares `against` earlier partitions or `same_weekday`: one of them")
        if self.drop is None and self.rise is None:
            raise ValueError("volume needs drop or rise, or it allows everything")
        return self


class ShareTotal(Spec):
    """What a share is taken of, where that is another table."""

    table: TableName = Field(description="Table whose published partition of the same time is the total.")
    sum: Text | None = Field(None, description="Column that is added up there; without it rows are counted.")

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


class ShareCheck(CheckSpec):
    """The share of a group, or of each group, lies between bounds. Without a group: of all rows."""

    kind = "share"
    where: Text | None = Field(None, description="SQL condition: which rows are the group.")
    by: Text | None = Field(None, description="Column instead: each of its values is a group.")
    distinct: Text | None = Field(None, description="Column whose distinct values are counted, not rows.")
    of: ShareTotal | None = Field(
        None, description="Table that the share is taken of; without it the partition itself."
    )
    at_least: Percent | None = Field(None, description="Least share.")
    at_most: Percent | None = Field(None, description="Greatest share.")

    @property
    def named_after(self) -> tuple[str, ...]:
        return tuple(name for name in (self.by, self.distinct) if name)

    def columns_at(self) -> Iterator[tuple[Loc, str]]:
        for key, name in (("by", self.by), ("distinct", self.distinct)):
            if name:
                yield (key,), name

    def tables_at(self) -> Iterator[tuple[Loc, str]]:
        if self.of:
            yield ("of", "table"), self.of.table

    def columns_there_at(self) -> Iterator[tuple[Loc, str, str]]:
        if self.of and self.of.sum:
            yield ("of", "sum"), self.of.table, self.of.sum

    @model_validator(mode="after")
    def _bounded(self) -> "ShareCheck":
        if self.at_least is None and self.at_most is None:
            raise ValueError("share needs at_least or at_most, or it allows everything")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is greater than at_most, so nothing is allowed")
        if self.where and self.by:
            raise ValueError("share is of the rows `where` something holds or `by` a column: one of them")
        if not (self.where or self.by or self.of):
            raise ValueError("share needs `where` or `by`, or `of`: the whole is always 100% of itself")
        return self
