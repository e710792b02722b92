"""A desk at which declared checks are put before staged rows: parquet by pyarrow, answers by the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from dataplat.audit.declared import evaluate_checks
from dataplat.audit.kinds import Past, Published, StagedPartition
from dataplat.audit.outcome import Outcome
from dataplat.engine.aggregate import StagedVersion
from dataplat.engine.session import SparkEngine
from dataplat.plan.ddl import HiveColumn
from dataplat_tests.unit.audit.builders import orders

ZONE = ZoneInfo("Asia/Shanghai")
COLUMNS = {
    "id": (pa.int64(), "bigint"),
    "account_id": (pa.int64(), "bigint"),
    "status": (pa.string(), "string"),
    "url": (pa.string(), "string"),
    "phone": (pa.string(), "string"),
    "amount": (pa.int64(), "bigint"),
    "at": (pa.timestamp("us", tz="UTC"), "timestamp"),
}

Row = Mapping[str, Any]


@dataclass
class Surroundings:
    """What the ledger would know: other tables by name, and earlier partitions, newest first."""

    others: Mapping[str, Published] = field(default_factory=dict)
    past_rows: Sequence[Past] = ()

    def past(self, key: str, count: int, same_weekday: bool) -> Sequence[Past]:
        return [past for past in self.past_rows if past.key < key][:count]

    def published(self, table: str, key: str) -> Published:
        return self.others[table]


@dataclass
class Counting:
    """Staged rows that note what they are asked."""

    rows: StagedVersion
    passes: int = 0
    queries: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.rows.name

    def aggregate(self, expressions: Sequence[str]) -> Mapping[tuple[str, ...], Sequence[Any]]:
        self.passes += 1
        return self.rows.aggregate(expressions)

    def ask(self, query: str, subject: str) -> list[tuple[Any, ...]]:
        self.queries.append(query)
        return self.rows.ask(query, subject)

    def columns(self, query: str, subject: str) -> tuple[str, ...]:
        return self.rows.columns(query, subject)


class Desk:
    """Stages rows and has checks of ``ods.orders`` evaluated. ``asked`` is what the last call cost."""

    def __init__(self, engine: SparkEngine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._number = count()
        self.asked: Counting

    def sql(self, statement: str) -> None:
        self._engine.session().sql(statement)

    def evaluate(
        self,
        checks: Sequence[Mapping[str, Any]],
        days: Mapping[str, Sequence[Row]],
        around: Surroundings | None = None,
        **spec: Any,
    ) -> dict[str, list[Outcome]]:
        version = f"20260302T020109-{next(self._number):06x}"
        location = self._folder / version
        for day, rows in days.items():
            write_rows(location / f"ds={day}", rows)
        staged = StagedVersion(
            self._engine.session(),
            f"file://{location}",
            "parquet",
            columns=[HiveColumn(name, hive) for name, (_, hive) in COLUMNS.items()],
            partition_names=["ds"],
            version=version,
            subject="ods.orders",
            has_files=any(days.values()),
        )
        partitions = [staged_partition(day, len(rows)) for day, rows in days.items()]
        with staged as rows_staged:
            self.asked = Counting(rows_staged)
            return evaluate_checks(orders(checks, **spec), partitions, self.asked, around or Surroundings())


def staged_partition(day: str, rows: int) -> StagedPartition:
    starts = datetime.fromisoformat(day).replace(tzinfo=ZONE)
    return StagedPartition(day, (("ds", day),), rows, starts, starts + timedelta(days=1))


def write_rows(folder: Path, rows: Sequence[Row]) -> None:
    """Write a partition as Spark would: no file for no row."""
    if not rows:
        return
    folder.mkdir(parents=True)
    arrays = {name: pa.array([row.get(name) for row in rows], kind) for name, (kind, _) in COLUMNS.items()}
    pq.write_table(pa.table(arrays), folder / "part-0.parquet")


def order(number: int, day: str, **changes: Any) -> dict[str, Any]:
    """Return a row that every check likes, unless it is changed."""
    row = {
        "id": number,
        "account_id": number,
        "status": "paid",
        "url": f"https://shop/{number}",
        "phone": f"138{number:08}",
        "amount": number * 10,
        "at": datetime.fromisoformat(f"{day} 22:30").replace(tzinfo=ZONE),
    }
    return row | changes
