"""The answer of one check about one partition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Number = int | float | str

ROW_COUNT = "row_count_matches_source"
FILES = "files_are_complete"
PLACEMENT = "rows_in_their_partition"
SHARDS = "no_shard_is_missing"
ALIKE = "shards_are_alike"
DIRTY = "dirty_rows_at_most"
NOT_HELD = "not_held"
COUNTED = "every_file_counted"
EXPECTED = "rows_as_expected"


@dataclass(frozen=True)
class Outcome:
    """What one check found in one partition.

    Attributes:
        check: Name of the check; people alert on it.
        passed: Whether the expectation held.
        severity: ``error`` holds the partition back, ``warn`` is reported.
        numbers: What was counted, by label, for tables and plots.
        message: One line: expected, found and a sample. Empty when there is nothing to say.
        declared: Where the check was declared, ``config/ods/orders.yaml:14``; empty for built-in ones.
        downstream: Whom a failure is to hold back: all, none, or the tables named.
        sample: Offending rows, a few, by column; what is sensitive is masked.
    """

    check: str
    passed: bool
    severity: Literal["error", "warn"] = "error"
    numbers: Mapping[str, Number] = field(default_factory=dict)
    message: str = ""
    declared: str = ""
    downstream: Literal["all", "none"] | tuple[str, ...] = "all"
    sample: tuple[Mapping[str, str], ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether this outcome keeps the partition from being published, and so from every downstream.

        One that names downstream tables does not: the partition is published, and the gate is closed for
        those that are named.
        """
        return not self.passed and self.severity == "error" and self.downstream == "all"
