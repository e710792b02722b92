"""One item of the list ``checks``. A new kind is one line here."""

from functools import cached_property

from pydantic import Field, model_validator

from dataplat.specs.base import Spec
from dataplat.specs.checks.base import CheckSpec
from dataplat.specs.checks.columns import (
    AcceptedValuesCheck,
    FreshCheck,
    MatchRateCheck,
    NotNullCheck,
    UniqueCheck,
)
from dataplat.specs.checks.rows import MinRowsCheck, ShareCheck, VolumeCheck
from dataplat.specs.checks.tables import FanOutCheck, ReferentialCheck, SqlCheck


class CheckEntry(Spec):
    """One item of ``checks``: exactly one kind."""

    not_null: NotNullCheck | None = Field(None, description="Columns that are never NULL.")
    unique: UniqueCheck | None = Field(None, description="Columns that are unique together.")
    accepted_values: AcceptedValuesCheck | None = Field(None, description="All values that may occur.")
    min_rows: MinRowsCheck | None = Field(None, description="Least number of rows.")
    volume: VolumeCheck | None = Field(None, description="Rows against earlier partitions.")
    share: ShareCheck | None = Field(None, description="Share of a group between bounds.")
    match_rate: MatchRateCheck | None = Field(None, description="Share of rows that have a fitting value.")
    fan_out: FanOutCheck | None = Field(None, description="Rows for each row or key of an upstream.")
    referential: ReferentialCheck | None = Field(None, description="Values that exist in another table.")
    fresh: FreshCheck | None = Field(None, description="Age of the newest row when the partition ends.")
    sql: SqlCheck | None = Field(None, description="A query that returns offending rows.")

    @model_validator(mode="after")
    def _one_kind(self) -> "CheckEntry":
        if len(self._given()) != 1:
            raise ValueError("expected exactly one kind of check in each list item")
        return self

    @cached_property
    def check(self) -> CheckSpec:
        (check,) = self._given()
        return check

    def _given(self) -> list[CheckSpec]:
        return [check for _, check in self if check is not None]
