"""A platform without an engine: a real ledger, real files, and a metastore that is a dictionary."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from dataplat.ledger import Ledger, LockOwner, TableVersion, VersionCounts
from dataplat.ledger import VersionState as S
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.publish import publish_version
from dataplat.plan.partitions import hive_path, partition_columns
from dataplat.plan.versions import version_location
from dataplat.specs import TableSpec
from dataplat_tests.unit.ledger.builders import FrozenClock

Values = tuple[tuple[str, str], ...]


class FakeMetastore:
    """Where partitions point. ``breaks`` is raised by the next publish, before it moves anything."""

    def __init__(self) -> None:
        self.points_to: dict[Values, str] = {}
        self.breaks: BaseException | None = None

    def locations(self, table: str, partitions: Sequence[Values]) -> Mapping[Values, str]:
        return {values: self.points_to[values] for values in partitions if values in self.points_to}

    def publish(self, table: str, targets: Mapping[Values, str]) -> None:
        if self.breaks is not None:
            raise self.breaks
        self.points_to.update(targets)

    def drop(self, table: str, partitions: Sequence[Values]) -> None:
        for values in partitions:
            self.points_to.pop(values, None)


class FakeHive:
    def __init__(self, has_table: bool) -> None:
        self._has_table = has_table

    def columns(self, table: str) -> tuple[object, ...] | None:
        return () if self._has_table else None


class FakePlatform:
    """What ``rollback`` and ``collect`` ask of a platform."""

    def __init__(self, home: Path) -> None:
        self.clock = FrozenClock()
        self.ledger = Ledger.open(f"sqlite:///{home}/ledger.db", clock=self.clock)
        self.metastore = FakeMetastore()
        self.has_table = True
        self._warehouse = f"file://{home}/warehouse"

    def as_platform(self) -> Platform:
        return cast(Platform, self)

    def now(self) -> datetime:
        return self.clock()

    def hive(self, engine: str = "default") -> Any:
        return FakeHive(self.has_table)

    def partitions(self, engine: str = "default") -> Any:
        return self.metastore

    def table_location(self, table: str) -> str:
        database, name = table.split(".")
        return f"{self._warehouse}/{database}.db/{name}"

    def folder(self, spec: TableSpec, version: str, key: str = "") -> Path:
        """The local folder of a version, or of one partition in it."""
        columns = partition_columns(key, spec.window.grain, spec.partition) if key else ()
        uri = version_location(self.table_location(spec.table), version, columns)
        return Path(uri.removeprefix("file://"))

    def stage(self, spec: TableSpec, version: str, keys: Sequence[str], rows: int = 3) -> None:
        """Write a version's files and record it as staged."""
        self.ledger.begin(
            TableVersion(
                table=spec.table,
                partition=key,
                version=version,
                location=f"file://{self.folder(spec, version, key)}",
                actor="ann",
            )
            for key in keys
        )
        for key in keys:
            folder = self.folder(spec, version, key)
            folder.mkdir(parents=True)
            if rows:
                pq.write_table(pa.table({"id": list(range(rows))}), folder / "part-0.parquet")
        (self.folder(spec, version) / "_SUCCESS").touch()
        counts = {key: VersionCounts(rows=rows, files=1 if rows else 0, bytes=rows * 10) for key in keys}
        self.ledger.advance(spec.table, version, keys, S.STAGED, counts=counts)

    def load(self, spec: TableSpec, version: str, keys: Sequence[str], rows: int = 3) -> None:
        """A load that goes well; an hour passes."""
        with self.ledger.lock_partitions(spec.table, keys, LockOwner.current()) as locks:
            self.stage(spec, version, keys, rows)
            targets = {
                key: (
                    partition_columns(key, spec.window.grain, spec.partition),
                    f"file://{self.folder(spec, version, key)}",
                )
                for key in keys
            }
            publish_version(self.ledger, self.metastore, locks, spec.table, version, targets)
        self.clock.move(hours=1)

    def reject(self, spec: TableSpec, version: str, keys: Sequence[str]) -> None:
        """A load that its audit rejected; an hour passes."""
        self.stage(spec, version, keys)
        self.ledger.advance(spec.table, version, keys, S.REJECTED, reason="row_count_matches_source")
        self.clock.move(hours=1)

    def states(self, spec: TableSpec) -> dict[str, str]:
        """State of every version of every partition: ``version/key`` to state."""
        rows = self.ledger.history(spec.table, limit=None)
        return {f"{row.version}/{row.partition}": str(row.state) for row in reversed(rows)}

    def visible(self, spec: TableSpec, key: str) -> str:
        """The version that the metastore shows, which must be what the ledger says."""
        values = partition_columns(key, spec.window.grain, spec.partition)
        location = self.metastore.points_to.get(values, "")
        in_ledger = self.ledger.visible(spec.table, [key]).get(key)
        assert location == (in_ledger.location if in_ledger else "")
        assert not location or location.endswith(hive_path(values))
        return in_ledger.version if in_ledger else ""
