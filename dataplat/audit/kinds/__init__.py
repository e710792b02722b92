"""How each kind of check is evaluated: one class a kind, and one line in ``KINDS``."""

from collections.abc import Mapping
from typing import Any

from dataplat.audit.kinds.base import (
    Case,
    Finding,
    Kind,
    Offenders,
    Past,
    Published,
    Question,
    StagedPartition,
    Value,
)
from dataplat.audit.kinds.columns import AcceptedValues, Fresh, MatchRate, NotNull, Unique
from dataplat.audit.kinds.rows import MinRows, Share, Volume
from dataplat.audit.kinds.tables import FanOut, Referential, Sql
from dataplat.specs import (
    AcceptedValuesCheck,
    AnyTable,
    CheckSpec,
    FanOutCheck,
    FreshCheck,
    MatchRateCheck,
    MinRowsCheck,
    NotNullCheck,
    ReferentialCheck,
    ShareCheck,
    SqlCheck,
    UniqueCheck,
    VolumeCheck,
)

KINDS: Mapping[type[CheckSpec], type[Kind[Any]]] = {
    NotNullCheck: NotNull,
    UniqueCheck: Unique,
    AcceptedValuesCheck: AcceptedValues,
    MinRowsCheck: MinRows,
    VolumeCheck: Volume,
    ShareCheck: Share,
    MatchRateCheck: MatchRate,
    FanOutCheck: FanOut,
    ReferentialCheck: Referential,
    FreshCheck: Fresh,
    SqlCheck: Sql,
}

__all__ = [
    "KINDS",
    "Case",
    "Finding",
    "Kind",
    "Offenders",
    "Past",
    "Published",
    "Question",
    "StagedPartition",
    "Value",
    "kind_of",
]


def kind_of(check: CheckSpec, spec: AnyTable) -> Kind[Any]:
    """Return how a declared check of a table is evaluated."""
    return KINDS[type(check)](check, spec)
