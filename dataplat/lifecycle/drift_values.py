"""Checksums of partitions on both sides: what tells that values changed where numbers of rows did not.

The source hashes its rows and Spark those that are visible, by ``plan.checksums``; no row is moved.
Partitions for which the table's SQL means the same are asked about together.
"""

from collections import defaultdict
from collections.abc import Sequence

from dataplat.lifecycle.compared_table import ComparedTable
from dataplat.lifecycle.drift import BothSides, HashBothSides
from dataplat.lifecycle.platform import Platform
from dataplat.plan.checksums import Checksum
from dataplat.plan.dates import render_dates
from dataplat.plan.targets import plan_targets, window_starts
from dataplat.specs import TableSpec


def hash_both_sides(platform: Platform) -> HashBothSides:
    """Return what hashes partitions of a table, for ``find_drift``. It starts the engine when it is used."""

    def ask(spec: TableSpec, keys: Sequence[str]) -> BothSides:
        visible: dict[str, str] = {}
        held: dict[str, str] = {}
        for together in read_alike(spec, keys, platform.catalog.platform.timezone):
            table = ComparedTable(platform, spec, together)
            held |= {key: _text(one) for key, one in table.source_checksums().items()}
            visible |= {key: _text(one) for key, one in table.hive_checksums().items()}
        return visible, held

    return ask


def read_alike(spec: TableSpec, keys: Sequence[str], zone: str) -> list[list[str]]:
    """Return the partitions in groups for each of which a load would send the same SQL but for its window.

    Date expressions make a difference: in ``where`` and ``columns`` from day to day, in the discovery of
    shards often from month to month.
    """
    texts = [spec.where or ""]
    if not isinstance(spec.columns, str):
        texts += [column.text for column in spec.columns]
    if spec.read_from.shards is not None:
        texts += spec.read_from.shards.discover
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    starts = window_starts(plan_targets(spec, keys, spec.partition, zone))
    for key, start in zip(keys, starts, strict=True):
        groups[tuple(render_dates(text, start, subject=spec.table) for text in texts)].append(key)
    return list(groups.values())


def _text(checksum: Checksum) -> str:
    return f"{checksum.rows}:{checksum.total:x}"
