"""The checks a table declares: one class a kind, and one line in ``CheckEntry``.

A check is written as ``kind: what``, the short form (``not_null: [id]``), or as ``kind: {…}`` when it
says more. Its name is API, people alert on it: it follows from kind and columns, or is ``name``.
"""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, StringConstraints, model_validator
from pydantic_core import CoreSchema

from dataplat.specs.base import Spec
from dataplat.specs.values import Count, Percent, Text, Texts

ROW_COUNT_CHECK = "row_count_matches_source"
CheckName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]


class CheckSpec(Spec):
    """Something that must hold for a staged partition; ``error`` keeps it from being published."""

    kind: ClassVar[str]
    short_form: ClassVar[str] = ""

    severity: Literal["error", "warn"] = Field("error", description="error: not published. warn: told only.")
    given_name: CheckName | None = Field(None, alias="name", description="Name to alert on.")

    @property
    def name(self) -> str:
        """The name in Dagster and in the ledger, stable as long as kind and columns are."""
        return self.given_name or "_".join([self.kind, *map(_word, self.columns_read)])

    @property
    def blocking(self) -> bool:
        return self.severity == "error"

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The target columns it looks at, which must therefore exist."""
        return ()

    @model_validator(mode="before")
    @classmethod
    def _accept_short_form(cls, value: Any) -> Any:
        return {cls.short_form: value} if cls.short_form and not isinstance(value, dict | cls) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        full = handler.resolve_ref_schema(handler(schema))
        short = full["properties"].get(cls.short_form)
        return {"anyOf": [short, full]} if short else full


class _ColumnsCheck(CheckSpec):
    short_form = "columns"
    columns: Annotated[Texts, Field(min_length=1)] = Field(description="Columns of the table.")

    @property
    def columns_read(self) -> tuple[str, ...]:
        return self.columns


class NotNullCheck(_ColumnsCheck):
    """None of the columns is NULL in any row."""

    kind = "not_null"


class UniqueCheck(_ColumnsCheck):
    """No two rows of a partition have the same values in all of the columns."""

    kind = "unique"


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
    against: Count = Field(description="How many earlier partitions to compare with.")
    drop: Annotated[Percent, AfterValidator(_at_most_all)] | None = Field(
        None, description="Allowed below their average, at most 100%."
    )
    rise: Percent | None = Field(None, description="Allowed above their average.")

    @model_validator(mode="after")
    def _bounded(self) -> "VolumeCheck":
        if self.drop is None and self.rise is None:
            raise ValueError("volume needs drop or rise, or it allows everything")
        return self


class CheckEntry(Spec):
    """One item of ``checks``: exactly one kind."""

    not_null: NotNullCheck | None = Field(None, description="Columns that are never NULL.")
    unique: UniqueCheck | None = Field(None, description="Columns that are unique together.")
    min_rows: MinRowsCheck | None = Field(None, description="Least number of rows.")
    volume: VolumeCheck | None = Field(None, description="Rows against earlier partitions.")

    @model_validator(mode="after")
    def _one_kind(self) -> "CheckEntry":
        if len(self._given()) != 1:
            raise ValueError("expected exactly one kind of check in each list item")
        return self

    @property
    def check(self) -> CheckSpec:
        (check,) = self._given()
        return check

    def _given(self) -> list[CheckSpec]:
        return [check for _, check in self if check is not None]


def _word(column: Text) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
