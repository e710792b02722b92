"""Checksums of partitions on both sides: what tells that values changed where numbers of rows did not.

The source hashes its rows and Spark those that are visible, by ``plan.checksums``; no row is moved.
"""

from collections.abc import Sequence

from dataplat.lifecycle.compared_table import ComparedTable
from dataplat.lifecycle.drift import BothSides, HashBothSides
from dataplat.lifecycle.platform import Platform
from dataplat.plan.checksums import Checksum
from dataplat.plan.targets import is_read_alone
from dataplat.specs import TableSpec


def hash_both_sides(platform: Platform) -> HashBothSides:
    """Return what hashes partitions of a table, for ``find_drift``. It starts the engine when it is used."""

    def ask(spec: TableSpec, keys: Sequence[str]) -> BothSides:
        visible: dict[str, str] = {}
        held: dict[str, str] = {}
        for some in [[key] for key in keys] if is_read_alone(spec) else [list(keys)]:
            table = ComparedTable(platform, spec, some)
            held |= {key: _text(one) for key, one in table.source_checksums().items()}
            visible |= {key: _text(one) for key, one in table.hive_checksums().items()}
        return visible, held

    return ask


def _text(checksum: Checksum) -> str:
    return f"{checksum.rows}:{checksum.total:x}"
