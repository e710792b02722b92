"""Where a partition is right now, asked of the metastore, which alone decides what is visible."""

from dataplat.errors import VersionError
from dataplat.lifecycle.platform import Platform
from dataplat.plan.partitions import partition_columns
from dataplat.specs import AnyTable


def find_location(platform: Platform, spec: AnyTable, key: str) -> str:
    """Return the URI of the folder that a partition points to.

    Raises:
        VersionError: The metastore has no such table or partition.
        EngineError: The metastore could not be asked.
    """
    values = partition_columns(key, spec.window.grain, spec.partition)
    if platform.hive(spec.engine).columns(spec.table) is None:
        raise _absent(spec, key, "the metastore has no such table")
    found = platform.partitions(spec.engine).locations(spec.table, [values])
    if values not in found:
        raise _absent(spec, key, "the metastore has no such partition")
    return found[values]


def _absent(spec: AnyTable, key: str, found: str) -> VersionError:
    return VersionError(
        f"{spec.table}[{key}]",
        "the partition is not published",
        facts=[("found", found), ("declared", spec.declared.at("table"))],
        effect="nothing can be read from it",
        next_steps=[f"dataplat load {spec.table} --date {key}", f"dataplat ledger {spec.table} {key}"],
    )
