"""Hop counts and check results: the numbers behind every verdict. They are added, never changed.

A hop or a check may be recorded again, by a retry or a later re-check; the last record answers, the
earlier ones stay for whoever asks what was known when.
"""

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from dataplat.ledger.database import Clock, Database, chunks
from dataplat.ledger.rows import CheckResult, Hop, HopCount
from dataplat.ledger.tables import check_result, hop_count

R = TypeVar("R")


class CountBook:
    """Part of ``Ledger``: record and read hop counts and check results."""

    _database: Database
    _clock: Clock

    def record_hops(self, hops: Iterable[HopCount]) -> None:
        """Add counts, all or none; those without a time get the ledger's."""
        self.record(hops=hops)

    def record_checks(self, checks: Iterable[CheckResult]) -> None:
        """Add check results, all or none; those without a time get the ledger's."""
        self.record(checks=checks)

    def record(self, *, hops: Iterable[HopCount] = (), checks: Iterable[CheckResult] = ()) -> None:
        """Add counts and check results in one transaction, which is one flush to the disk."""
        now = self._clock()
        hop_rows = [_hop_values(hop) | {"at": hop.at or now} for hop in hops]
        check_rows = [_check_values(check) | {"at": check.at or now} for check in checks]

        def work(connection: sa.Connection) -> None:
            if hop_rows:
                connection.execute(hop_count.insert(), hop_rows)
            if check_rows:
                connection.execute(check_result.insert(), check_rows)

        if hop_rows or check_rows:
            self._database.write(work)

    def hops(self, table: str, partition: str, version: str | None = None) -> tuple[HopCount, ...]:
        """Return the last count per version, hop, shard and target, in the order of recording."""
        rows = self._numbers_of(hop_count, _hop, table, partition, version)
        return _last_by(rows, lambda hop: (hop.version, hop.hop, hop.shard, hop.target))

    def shards(self, table: str, versions: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Return the shards that were counted at the source for one version of each partition, by name.

        Args:
            table: The table.
            versions: The version asked about, by partition.

        Returns:
            By partition; one whose shards were not counted apart is absent.
        """
        t = hop_count
        query = (
            sa.select(t.c.partition_key, t.c.version, t.c.shard)
            .where(t.c.table_name == table, t.c.hop == Hop.SOURCE_BEFORE, t.c.shard != "")
            .distinct()
        )

        def work(connection: sa.Connection) -> dict[str, set[str]]:
            found: dict[str, set[str]] = {}
            for chunk in chunks(list(versions)):
                some = query.where(
                    t.c.partition_key.in_(chunk), t.c.version.in_({versions[key] for key in chunk})
                )
                for key, version, shard in connection.execute(some):
                    if version == versions[key]:
                        found.setdefault(key, set()).add(shard)
            return found

        return {key: tuple(sorted(names)) for key, names in self._database.read(work).items()}

    def hops_of(
        self, table: str, versions: Mapping[str, str], hops: Collection[Hop]
    ) -> dict[str, tuple[HopCount, ...]]:
        """Return the last counts of some hops, for one version of each partition, by few questions.

        Args:
            table: The table.
            versions: The version asked about, by partition.
            hops: Which of them.

        Returns:
            By partition; one without any such count is absent.
        """
        t = hop_count
        query = sa.select(t).where(t.c.table_name == table, t.c.hop.in_(sorted(hops))).order_by(t.c.id)

        def work(connection: sa.Connection) -> list[HopCount]:
            found: list[HopCount] = []
            for chunk in chunks(list(versions)):
                some = query.where(
                    t.c.partition_key.in_(chunk), t.c.version.in_({versions[key] for key in chunk})
                )
                rows = connection.execute(some).mappings()
                found += [_hop(row) for row in rows if row["version"] == versions[row["partition_key"]]]
            return found

        last = _last_by(
            self._database.read(work), lambda hop: (hop.partition, hop.hop, hop.shard, hop.target)
        )
        by_partition: dict[str, list[HopCount]] = {}
        for hop in last:
            by_partition.setdefault(hop.partition, []).append(hop)
        return {key: tuple(some) for key, some in by_partition.items()}

    def checks(self, table: str, partition: str, version: str | None = None) -> tuple[CheckResult, ...]:
        """Return the last result per version and check, in the order of recording."""
        rows = self._numbers_of(check_result, _check, table, partition, version)
        return _last_by(rows, lambda check: (check.version, check.check))

    def failures(
        self, table: str, versions: Mapping[str, str], checks: Collection[str]
    ) -> dict[str, tuple[CheckResult, ...]]:
        """Return the results of some checks that failed last, for one version of each partition.

        Args:
            table: The table.
            versions: The version asked about, by partition.
            checks: Names. Without any nothing is read.

        Returns:
            By partition; one of which none failed is absent.
        """
        if not checks or not versions:
            return {}
        t = check_result
        query = (
            sa.select(t).where(t.c.table_name == table, t.c.check_name.in_(sorted(checks))).order_by(t.c.id)
        )

        def work(connection: sa.Connection) -> list[CheckResult]:
            found: list[CheckResult] = []
            for chunk in chunks(list(versions)):
                rows = connection.execute(query.where(t.c.partition_key.in_(chunk))).mappings()
                found += [_check(row) for row in rows if row["version"] == versions[row["partition_key"]]]
            return found

        last = _last_by(self._database.read(work), lambda check: (check.partition, check.check))
        failed = [check for check in last if not check.passed]
        return {
            key: tuple(check for check in failed if check.partition == key)
            for key in dict.fromkeys(check.partition for check in failed)
        }

    def _numbers_of(
        self,
        t: sa.Table,
        build: Callable[[RowMapping], R],
        table: str,
        partition: str,
        version: str | None,
    ) -> list[R]:
        query = sa.select(t).where(t.c.table_name == table, t.c.partition_key == partition).order_by(t.c.id)
        if version is not None:
            query = query.where(t.c.version == version)
        return self._database.read(
            lambda connection: [build(row) for row in connection.execute(query).mappings()]
        )


def _last_by(rows: Iterable[R], key: Callable[[R], Hashable]) -> tuple[R, ...]:
    last: dict[Hashable, R] = {}
    for row in rows:
        last.pop(key(row), None)
        last[key(row)] = row
    return tuple(last.values())


def _hop_values(hop: HopCount) -> dict[str, Any]:
    return {
        "table_name": hop.table,
        "partition_key": hop.partition,
        "version": hop.version,
        "hop": hop.hop,
        "shard": hop.shard,
        "target": hop.target,
        "rows_count": hop.rows,
        "files_count": hop.files,
        "bytes_count": hop.bytes,
    }


def _hop(row: RowMapping) -> HopCount:
    return HopCount(
        table=row["table_name"],
        partition=row["partition_key"],
        version=row["version"],
        hop=Hop(row["hop"]),
        shard=row["shard"],
        target=row["target"],
        rows=row["rows_count"],
        files=row["files_count"],
        bytes=row["bytes_count"],
        at=row["at"],
    )


def _check_values(check: CheckResult) -> dict[str, Any]:
    return {
        "table_name": check.table,
        "partition_key": check.partition,
        "version": check.version,
        "check_name": check.check,
        "passed": int(check.passed),
        "severity": check.severity,
        "blocking": int(check.blocking),
        "numbers": json.dumps(dict(check.numbers), ensure_ascii=False, default=_as_json),
        "message": check.message,
    }


def _as_json(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a check's numbers must be JSON values, not {type(value).__name__}")


def _check(row: RowMapping) -> CheckResult:
    return CheckResult(
        table=row["table_name"],
        partition=row["partition_key"],
        version=row["version"],
        check=row["check_name"],
        passed=bool(row["passed"]),
        severity=row["severity"],
        blocking=bool(row["blocking"]),
        numbers=json.loads(row["numbers"]),
        message=row["message"],
        at=row["at"],
    )
