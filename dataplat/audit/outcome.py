"""The answer of one check about one partition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Number = int | float | str

ROW_COUNT = "row_count_matches_source"
FILES = "files_are_complete"
PLACEMENT = "rows_in_their_partition"


@dataclass(frozen=True)
class Outcome:
    """What one check found in one partition.

    Attributes:
        check: Name of the check; people alert on it.
        passed: Whether the expectation held.
        severity: ``error`` holds the partition back, ``warn`` is reported.
        numbers: What was counted, by label, for tables and plots.
        message: One line: expected and found. Empty when there is nothing to say.
        declared: Where the check was declared, ``config/ods/orders.yaml:14``; empty for built-in ones.
    """

    check: str
    passed: bool
    severity: Literal["error", "warn"] = "error"
    numbers: Mapping[str, Number] = field(default_factory=dict)
    message: str = ""
    declared: str = ""

    @property
    def blocks(self) -> bool:
        """Whether this outcome keeps the partition from being published."""
        return not self.passed and self.severity == "error"
