"""The census of a table's shards, with what the ledger remembers of earlier partitions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from dataplat.audit.census import check_alike, check_shards
from dataplat.audit.outcome import Outcome
from dataplat.errors import SelectionError
from dataplat.ledger import Ledger
from dataplat.lifecycle.shards import FoundShards
from dataplat.lifecycle.source_table import SourceTable
from dataplat.plan.census import (
    Census,
    Expectation,
    expected_by_history,
    expected_by_rule,
    take_census,
)
from dataplat.plan.grains import wall_start
from dataplat.plan.layouts import columns_read, describe_differences, group_layouts
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.targets import window_starts
from dataplat.specs import Catalog, SecretResolver, TableSpec


def count_shards(
    catalog: Catalog, ledger: Ledger, spec: TableSpec, key: str, secrets: SecretResolver
) -> Census:
    """Return the census of one partition as of now, with the rows that each shard holds of it.

    Raises:
        SelectionError: The table is no sharded one.
        SourceError: The source refused, or is not as declared.
        SourceUnavailableError: It could not be reached.
    """
    if spec.read_from.shards is None:
        raise SelectionError(
            spec.table,
            "this table has no shards",
            facts=[
                ("found", f"one physical table: {spec.read_from.database}.{spec.read_from.table}"),
                ("declared", spec.declared.at("from")),
            ],
            effect="nothing was asked",
            next_steps=[f"dataplat explain {spec.table}"],
        )
    zone = catalog.platform.timezone
    table = SourceTable(spec, catalog.instances_of(spec), spec.partition, zone, secrets)
    found = table.find_shards([key])
    (census,) = take_censuses(ledger, spec, table.targets([key]), found)
    if not census.found:
        return census
    survey = table.survey([key], found)
    rows: Counter[PhysicalTable] = Counter()
    for count in table.count(survey):
        rows[survey.shards[count.shard]] += count.rows
    return replace(census, rows=rows)


def take_censuses(
    ledger: Ledger, spec: TableSpec, targets: Sequence[PartitionTarget], found: FoundShards
) -> tuple[Census, ...]:
    """Return the census of each partition. Reads the ledger only."""
    expected = _expected(ledger, spec, targets, found)
    read = columns_read(spec)
    different: dict[tuple[PhysicalTable, ...], tuple[str, ...]] = {}  # most partitions have the same shards
    censuses = []
    for target in targets:
        shards = found.by_key[target.key]
        if shards not in different:
            layouts = group_layouts({shard: found.described[shard] for shard in shards})
            different[shards] = describe_differences(layouts, read)
        census = take_census(target.key, shards, expected[target.key])
        censuses.append(replace(census, different=different[shards]))
    return tuple(censuses)


def shard_checks(spec: TableSpec, census: Census) -> tuple[Outcome, ...]:
    """Return the checks of a sharded table that are answered before it is read."""
    shards = spec.read_from.shards
    refuse = shards is not None and shards.drift == "refuse"
    return (
        check_shards(census, spec.declared.at("from", "shards")),
        check_alike(census.different, refuse=refuse, declared=spec.declared.at("from", "shards", "drift")),
    )


def _expected(
    ledger: Ledger, spec: TableSpec, targets: Sequence[PartitionTarget], found: FoundShards
) -> dict[str, Expectation]:
    keys, starts = [target.key for target in targets], window_starts(targets)
    if spec.read_from.shards is None or spec.read_from.shards.expect != "history":
        on = spec.sources or ("",)
        ruled = [expected_by_rule(spec.read_from, start, on) or Expectation() for start in starts]
        return dict(zip(keys, ruled, strict=True))
    visible = ledger.visible(spec.table, keys)
    own = ledger.shards(spec.table, {key: row.version for key, row in visible.items()})
    earlier = ledger.visible_before(spec.table, keys[0], limit=1)
    known = ledger.shards(spec.table, {row.partition: row.version for row in earlier})
    before = None
    for row in earlier:
        if row.partition in known:
            began = wall_start(row.partition, spec.window.grain)
            before = (row.partition, began, _tables(known[row.partition]))
    return expected_by_history(
        spec.read_from,
        dict(zip(keys, starts, strict=True)),
        found.by_key,
        {key: _tables(names) for key, names in own.items()},
        before,
    )


def _tables(names: Sequence[str]) -> tuple[PhysicalTable, ...]:
    return tuple(PhysicalTable.parse(name) for name in names)
