"""When a read would go through a large table from end to end, and nobody has said that it may.

A snapshot does it by its nature, so somebody has to agree once that the table is large. A window does it
where no index begins with its column. It is no such scan when the server could use an index and expects no
gain: then the window holds much of the table.
"""

from collections.abc import Mapping, Sequence

from dataplat.errors import SourceError
from dataplat.specs import SourceSpec, TableSpec

_SCANS = frozenset({"all", "index"})


def find_scan(steps: Sequence[Mapping[str, object]], *, windowed: bool) -> tuple[str, int] | None:
    """Return the table that a plan of the server goes through, and the rows; ``None`` if it does not.

    >>> find_scan([{"table": "t", "access": "ALL", "possible": "i", "rows": 9}], windowed=True)
    >>> find_scan([{"table": "t", "access": "ALL", "possible": "i", "rows": 9}], windowed=False)
    ('t', 9)
    """
    for step in steps:
        if str(step["access"] or "").lower() in _SCANS and not (windowed and step["possible"]):
            return str(step["table"]), int(str(step["rows"] or 0))
    return None


def refuse_scan(spec: TableSpec, subject: str, source: SourceSpec, table: str, rows: int) -> SourceError:
    """Return what to tell somebody whose table is too large to be scanned without being asked."""
    limit = f"{source.budget.full_scan_rows:,}"
    windowed = spec.load == "incremental"
    expected = f"an index on {spec.window.column}, or " if windowed else ""
    because = f"window.column: {spec.window.column}" if windowed else "load: snapshot"
    place = spec.declared.at("window", "column") if windowed else spec.declared.at("load")
    return SourceError(
        subject,
        "the whole of a large table would be read at the source",
        facts=[
            (
                "expected",
                f"{expected}at most {limit} rows ({source.declared.at('budget', 'full_scan_rows')})",
            ),
            ("found", f"{table}, about {rows:,} rows, because of {because}"),
            ("declared", place),
        ],
        effect="nothing was counted or read; what was visible before is still visible",
        next_steps=[f"dataplat explain {spec.table}", "allow_full_scan: true in the table's file"],
    )
