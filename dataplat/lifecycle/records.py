"""What checks compare with: earlier partitions and other tables, as the ledger knows them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dataplat.audit.kinds import Past, Published
from dataplat.audit.outcome import Number
from dataplat.ledger import Ledger, TableVersion
from dataplat.plan.ddl import quote_identifier, quote_literal, quote_table
from dataplat.plan.grains import partition_key, wall_start
from dataplat.plan.partitions import partition_columns
from dataplat.plan.same_time import keys_at_same_time
from dataplat.specs import AnyTable, Catalog, Grain, PartitionFormatSpec


class LedgerRecords:
    """The records of one table for its checks. Reads the ledger only; other tables are named as SQL."""

    def __init__(self, catalog: Catalog, ledger: Ledger, spec: AnyTable) -> None:
        self._platform = catalog.platform
        self._ledger = ledger
        self._spec = spec
        self._zone = ZoneInfo(catalog.platform.timezone)
        self._others = {name.lower(): table for name, table in catalog.all_tables.items()}
        self._external = {external.table.lower(): external for external in catalog.platform.external}

    def past(self, key: str, count: int, same_weekday: bool) -> Sequence[Past]:
        """Return the last published partitions before a key, newest first."""
        table = self._spec.table
        if not same_weekday:
            found = self._ledger.visible_before(table, key, limit=count)
        else:
            grain = self._spec.window.grain
            start = wall_start(key, grain)
            keys = [partition_key(start - timedelta(weeks=week), grain) for week in range(1, count + 1)]
            visible = self._ledger.visible(table, keys)
            found = tuple(visible[one] for one in keys if one in visible)
        return [self._past(version) for version in found]

    def published(self, table: str, key: str) -> Published:
        """Return another table at the time of one partition of this one.

        What somebody else makes is taken as it is in the metastore: the ledger knows nothing of it.
        """
        other = self._others.get(table.lower())
        if other is None:
            return self._made_elsewhere(table, key)
        grain = other.window.grain
        keys = keys_at_same_time(key, self._spec.window.grain, grain, self._zone)
        visible = self._ledger.visible(other.table, keys)
        return Published(
            other.table,
            _select(other.table, keys, grain, other.partition),
            sum(version.rows or 0 for version in visible.values()),
            tuple(one for one in keys if one not in visible),
            other.sensitive,
        )

    def _made_elsewhere(self, table: str, key: str) -> Published:
        external = self._external.get(table.lower())
        if external is None or external.grain is None:
            return Published(table, quote_table(table))
        keys = keys_at_same_time(key, self._spec.window.grain, external.grain, self._zone)
        names = external.partition.over(self._platform.partition)
        return Published(table, _select(table, keys, external.grain, names))

    def _past(self, version: TableVersion) -> Past:
        @cache
        def numbers() -> Mapping[str, Mapping[str, Number]]:
            results = self._ledger.checks(version.table, version.partition, version.version)
            return {result.check: result.numbers for result in results}

        return Past(version.partition, version.rows or 0, lambda check: numbers().get(check, {}))


def _select(table: str, keys: Sequence[str], grain: Grain, names: PartitionFormatSpec) -> str:
    conditions = [
        " AND ".join(
            f"{quote_identifier(name)} = {quote_literal(value)}"
            for name, value in partition_columns(key, grain, names)
        )
        for key in keys
    ]
    where = " OR ".join(f"({condition})" for condition in conditions) or "false"
    return f"(SELECT * FROM {quote_table(table)} WHERE {where})"
