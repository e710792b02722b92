"""A random life of a source table: rows that commit late, move between days, change, and go; loads; drift.

The source is the stand-in over SQLite, and what a load is here is a copy of the rows and a record of their
numbers. What decides is the real thing: which days are asked, the statements, the comparison.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from dataplat.ledger import Hop, HopCount, Ledger, PartitionStatus, TableVersion, VersionState
from dataplat.lifecycle.drift import BothSides, find_drift
from dataplat.lifecycle.recount import Recounter
from dataplat.specs import Catalog, SecretResolver, TableSpec
from dataplat_tests.services.sqlite_source import StandInSource

FIRST = datetime(2026, 3, 26)  # noqa: DTZ001 - the wall clock of the business zone; Berlin's changes on the 29th
DAYS = 6
SECRETS = SecretResolver({})
Row = tuple[int, str, str]
Change = Callable[[], None]


@dataclass
class Records:
    """What the ledger would know, kept in memory: two thousand histories are many loads."""

    versions: dict[str, TableVersion] = field(default_factory=dict)
    hops: dict[str, list[HopCount]] = field(default_factory=dict)

    def statuses(self, table: str, partitions: Iterable[str]) -> dict[str, PartitionStatus]:
        return {
            key: PartitionStatus(
                table=table,
                partition=key,
                published=self.versions.get(key),
                latest=self.versions.get(key),
                holds=(),
            )
            for key in partitions
        }

    def hops_of(
        self, _table: str, versions: Mapping[str, str], hops: Collection[Hop]
    ) -> dict[str, list[HopCount]]:
        return {key: [one for one in self.hops[key] if one.hop in hops] for key in versions}


class History:
    """One table from ``FIRST`` on. The wall clock is ``hour`` hours later.

    Args:
        seed: Decides everything.
        source: The stand-in, with the tables ``shards`` in the database ``shop``.
        catalog: Where the table is declared.
        spec: The table.
        shards: Its physical tables.
        hashes: Whether drift compares values.
        kinds: What may happen to rows.
    """

    def __init__(
        self,
        seed: int,
        source: StandInSource,
        catalog: Catalog,
        spec: TableSpec,
        shards: Sequence[str],
        *,
        hashes: bool,
        kinds: Sequence[str],
    ) -> None:
        self._random = random.Random(seed)
        self._source, self._catalog, self._spec, self._shards = source, catalog, spec, shards
        self._hashes, self._kinds = hashes, kinds
        self._records = Records()
        self._pending: list[tuple[int, Change]] = []
        self._ids: dict[int, str] = {}
        self._next = 0
        self.target: dict[str, Counter[Row]] = {}
        self.repaired = 0
        self.hour = 0
        for shard in shards:
            source.run(f"DELETE FROM shop.{shard}")

    def live(self) -> None:
        """Let days pass, each loaded in its night unless something came between; then everybody commits."""
        while self.hour < DAYS * 24:
            self._commit(self.hour)
            for _ in range(self._random.choice((0, 0, 1, 3))):
                self._write()
            if self.hour % 24 == 2 and self.hour > 24 and self._random.random() < 0.9:
                self.load([self._key(self.hour // 24 - 1)])
            if self._random.random() < 0.03:
                self.repair(days=self._random.randint(1, DAYS), missing=self._random.random() < 0.3)
            self.hour += self._random.randint(1, 5)
        self._commit(10_000)

    def repair(self, days: int, *, missing: bool) -> None:
        """Ask which days changed, and load just those again."""
        (found,) = find_drift(
            Recounter(self._catalog, cast(Ledger, self._records), SECRETS),
            [self._spec],
            now=self._now(),
            days=days,
            hash_both=self._hash_both if self._hashes else None,
        )
        assert found.error is None, found.error
        self.repaired += len(found.changed)
        self.load([*found.changed, *(found.missing if missing else ())])

    def load(self, keys: Sequence[str]) -> None:
        """Copy the rows of days and record their numbers, as one load does."""
        for key in keys:
            by_shard = {shard: self._rows(shard, key) for shard in self._shards}
            self.target[key] = sum(by_shard.values(), Counter())
            version = f"v{self.hour}"
            self._records.versions[key] = TableVersion(
                table=self._spec.table,
                partition=key,
                version=version,
                state=VersionState.PUBLISHED,
                rows=self.target[key].total(),
            )
            self._records.hops[key] = [
                HopCount(
                    table=self._spec.table,
                    partition=key,
                    version=version,
                    hop=hop,
                    shard=f"shop.{shard}" if len(self._shards) > 1 else "",
                    rows=rows.total(),
                )
                for shard, rows in by_shard.items()
                for hop in (Hop.SOURCE_BEFORE, Hop.SOURCE_AFTER)
            ]

    def source(self) -> dict[str, Counter[Row]]:
        """Return the rows of every closed day, asked for in another way than drift does."""
        days = [self._key(number) for number in range(self.hour // 24)]
        return {key: sum((self._rows(shard, key) for shard in self._shards), Counter()) for key in days}

    def _rows(self, shard: str, key: str) -> Counter[Row]:
        found = self._source.run(f"SELECT id, at, note FROM shop.{shard} WHERE at LIKE ?", [f"{key}%"])
        return Counter((int(number), str(at), str(note)) for number, at, note in found)

    def _write(self) -> None:
        """Let an application change a row now, to be seen when it commits."""
        kind = self._random.choice(self._kinds)
        if kind == "insert" or not self._ids:
            shard, at = self._random.choice(self._shards), self._at(self.hour)
            number, self._next = self._next, self._next + 1

            def insert() -> None:
                self._source.run(f"INSERT INTO shop.{shard} VALUES (?, ?, '')", [number, at])
                self._ids[number] = shard

            self._later(insert)
            return
        number = self._random.choice(sorted(self._ids))
        shard = self._ids[number]
        if kind == "delete":
            del self._ids[number]
            self._later(lambda: self._run(f"DELETE FROM shop.{shard} WHERE id = ?", number))
        elif kind == "move":
            at = self._at(self._random.choice((self.hour, self._random.randint(0, self.hour))))
            self._later(lambda: self._run(f"UPDATE shop.{shard} SET at = ? WHERE id = ?", at, number))
        else:
            note = f"{self._random.random()}"
            self._later(lambda: self._run(f"UPDATE shop.{shard} SET note = ? WHERE id = ?", note, number))

    def _run(self, sql: str, *values: object) -> None:
        self._source.run(sql, values)

    def _later(self, change: Change) -> None:
        delay = self._random.choice((0, 0, 0, 1, 5, 30, 70))
        self._pending.append((self.hour + delay, change))
        self._commit(self.hour)

    def _commit(self, until: int) -> None:
        due = [change for hour, change in self._pending if hour <= until]
        self._pending = [(hour, change) for hour, change in self._pending if hour > until]
        for change in due:
            change()

    def _hash_both(self, _spec: TableSpec, keys: Sequence[str]) -> BothSides:
        """Hash both sides, where the real thing lets MySQL and Spark do it."""
        source = self.source()
        return (
            {key: repr(sorted(self.target[key].elements())) for key in keys},
            {key: repr(sorted(source[key].elements())) for key in keys},
        )

    def _at(self, hour: int) -> str:
        minute, second = self._random.choice((0, 59)), self._random.choice((0, 59))
        return f"{FIRST + timedelta(hours=hour, minutes=minute, seconds=second)}"

    def _now(self) -> datetime:
        zone: ZoneInfo = self._catalog.platform.zone
        return (FIRST + timedelta(hours=self.hour, minutes=30)).replace(tzinfo=zone)

    def _key(self, number: int) -> str:
        day: date = (FIRST + timedelta(days=number)).date()
        return day.isoformat()
