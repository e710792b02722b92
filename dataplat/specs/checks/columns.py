"""Checks of what stands in columns."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from dataplat.specs.checks.base import CheckSpec, ColumnsCheck, Part
from dataplat.specs.problems import Loc
from dataplat.specs.values import Count, Duration, Text, parse_plain_text, shown


class NotNullCheck(ColumnsCheck):
    """None of the columns is NULL in any row."""

    kind = "not_null"


class UniqueCheck(ColumnsCheck):
    """No two rows of a partition have the same values in all of the columns. NULL is a value here."""

    kind = "unique"


class _ColumnCheck(CheckSpec):
    column: Text = Field(description="Column of the table.")

    def columns_at(self) -> Iterator[tuple[Loc, str]]:
        yield ("column",), self.column


def _accepted(value: object) -> object:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"expected a list of values, found {shown(value)}")
    found = [parse_plain_text(item) for item in value]
    for item in found:
        if not isinstance(item, str):
            raise ValueError(f"expected texts and whole numbers, found {shown(item)}")
    return tuple(found)


class AcceptedValuesCheck(_ColumnCheck):
    """The column holds these values, or NULL, and nothing else. Values are compared as text."""

    kind = "accepted_values"
    values: Annotated[
        tuple[str, ...],
        BeforeValidator(_accepted),
        WithJsonSchema({"type": "array", "items": {"type": ["string", "integer", "boolean"]}, "minItems": 1}),
    ] = Field(description="All values that may occur.")


class MatchRateCheck(_ColumnCheck):
    """Enough rows have a value that fits a pattern, or any value if there is no pattern."""

    kind = "match_rate"
    pattern: Text | None = Field(
        None, description="Java regular expression that is found in the value; without it any value will do."
    )
    at_least: Part | None = Field(None, description="Least share of rows that match.")
    drop: Part | None = Field(None, description="Allowed below the average share of earlier partitions.")
    against: Count = Field(7, description="How many earlier partitions `drop` compares with.")

    @model_validator(mode="after")
    def _bounded(self) -> "MatchRateCheck":
        if self.at_least is None and self.drop is None:
            raise ValueError("match_rate needs at_least or drop, or it allows everything")
        return self


class FreshCheck(_ColumnCheck):
    """The largest value of a time column is no older than so long before the end of the partition."""

    kind = "fresh"
    within: Duration = Field(description="How old the newest row may be when the partition ends.")
