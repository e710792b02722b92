"""The Hive table before a load: made, widened, or refused."""

from collections.abc import Sequence

from dataplat.lifecycle.platform import Platform
from dataplat.plan.ddl import HiveColumn, compare_columns, require_additive
from dataplat.specs import TableSpec


def ensure_table(
    platform: Platform, spec: TableSpec, columns: Sequence[HiveColumn], partition_names: Sequence[str]
) -> None:
    """Create the table, or add the columns it does not have yet; old partitions read NULL in them.

    Raises:
        SchemaConflictError: A column changed its type or is gone. Nothing was altered.
    """
    hive = platform.hive(spec.engine)
    found = hive.columns(spec.table)
    if found is None:
        hive.create(spec.table, columns, partition_names, spec.format, spec.description)
        return
    change = require_additive(spec.table, compare_columns(found, columns), spec.declared.at("columns"))
    if change.added:
        hive.add_columns(spec.table, change.added)
