"""What a count of files means: how it ended, its exit code, and the document that scripts read.

The numbers are gathered by ``storage.row_counter``; what they amount to is decided here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

FileFormat = Literal["orc", "parquet", "textfile", "avro", "sequencefile"]
CountStatus = Literal["success", "partial", "failed"]

UNKNOWN_ROWS = -1
"""What stands for the rows of a path when nothing could be counted; an empty folder holds 0."""

_EXIT_CODES: dict[CountStatus, int] = {"success": 0, "failed": 1, "partial": 2}


@dataclass(frozen=True)
class FileProblem:
    """A file that was not counted, and why; the path itself when it could not be listed."""

    file: str
    error: str


@dataclass(frozen=True)
class PathCount:
    """What the files of one path hold.

    Attributes:
        path: As it was asked for.
        rows: Rows of the files that could be counted; ``UNKNOWN_ROWS`` when none could.
        files: Every file found, the uncounted ones included.
        bytes: Their size when they were listed.
        problems: Each file that was not counted.
    """

    path: str
    status: CountStatus
    rows: int
    files: int
    bytes: int
    duration_ms: int
    problems: tuple[FileProblem, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the JSON document that callers of the counter know."""
        failed = {problem.file for problem in self.problems}
        return {
            "path": self.path,
            "status": self.status,
            "errors": [{"file": problem.file, "error": problem.error} for problem in self.problems],
            "row_count": self.rows,
            "file_count": self.files,
            "success_file_count": max(0, self.files - len(failed)),
            "total_size_bytes": self.bytes,
            "duration_ms": self.duration_ms,
        }


def judge_count(
    path: str, counted: Iterable[int], sizes: Iterable[int], problems: Sequence[FileProblem], duration_ms: int
) -> PathCount:
    """Return how a count ended: an empty folder is a success of no rows, no readable file at all a failure.

    Args:
        path: As it was asked for.
        counted: Rows of each file that could be counted.
        sizes: Bytes of each file that was found.
        problems: One for each file that was found and not counted, or one for a path without any.
        duration_ms: How long it took.

    >>> judge_count("/t", [3, 4], [10, 10, 10], [FileProblem("/t/c", "permission denied")], 5).status
    'partial'
    >>> judge_count("/gone", [], [], [FileProblem("/gone", "there is no such path")], 5).rows
    -1
    """
    rows, bytes_ = list(counted), list(sizes)
    status: CountStatus = "success" if not problems else "partial" if rows else "failed"
    total = UNKNOWN_ROWS if status == "failed" else sum(rows)
    return PathCount(path, status, total, len(bytes_), sum(bytes_), duration_ms, tuple(problems))


def exit_code(statuses: Iterable[CountStatus]) -> int:
    """Return 0 when every path was counted, 1 when one failed, 2 when one was counted in part.

    >>> exit_code(["success", "partial"]), exit_code(["partial", "failed"]), exit_code(["success"])
    (2, 1, 0)
    """
    seen = set(statuses)
    worst: CountStatus = "failed" if "failed" in seen else "partial" if "partial" in seen else "success"
    return _EXIT_CODES[worst]
