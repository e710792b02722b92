"""The checks a table declares: one class a kind, and one line in ``CheckEntry``.

A check is written as ``kind: what``, the short form (``not_null: [id]``), or as ``kind: {…}`` when it
says more. Its name is API, people alert on it: it follows from kind and columns, or is ``name``. How a
kind is evaluated is one class of the same name in ``audit.kinds``; nothing here knows how.
"""

from dataplat.specs.checks.base import ROW_COUNT_CHECK, Blocks, CheckSpec
from dataplat.specs.checks.columns import (
    AcceptedValuesCheck,
    FreshCheck,
    MatchRateCheck,
    NotNullCheck,
    UniqueCheck,
)
from dataplat.specs.checks.entry import CheckEntry
from dataplat.specs.checks.rows import MinRowsCheck, ShareCheck, ShareTotal, VolumeCheck
from dataplat.specs.checks.tables import FanOutCheck, ReferentialCheck, SqlCheck

__all__ = [
    "ROW_COUNT_CHECK",
    "AcceptedValuesCheck",
    "Blocks",
    "CheckEntry",
    "CheckSpec",
    "FanOutCheck",
    "FreshCheck",
    "MatchRateCheck",
    "MinRowsCheck",
    "NotNullCheck",
    "ReferentialCheck",
    "ShareCheck",
    "ShareTotal",
    "SqlCheck",
    "UniqueCheck",
    "VolumeCheck",
]
