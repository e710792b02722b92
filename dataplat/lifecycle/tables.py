"""The Hive table before a load: made, widened, or refused."""

from collections.abc import Sequence

from dataplat.engine.hive import HiveTable
from dataplat.errors import SchemaConflictError
from dataplat.lifecycle.platform import Platform
from dataplat.plan.ddl import HiveColumn, require_additive
from dataplat.plan.fitting import fit_columns
from dataplat.specs import AnyTable, TableSpec


def ensure_table(
    platform: Platform,
    spec: AnyTable,
    columns: Sequence[HiveColumn],
    partition_names: Sequence[str],
) -> tuple[HiveColumn, ...]:
    """Create the table, or add the columns it does not have yet; old partitions read NULL in them.

    Returns:
        The columns as they are to be written: those of a source table in the wider types that Hive has.

    Raises:
        SchemaConflictError: A column is wider than Hive's, of another kind or gone, or the table is
            partitioned or stored in another way. Nothing was altered.
    """
    hive = platform.hive(spec.engine)
    found = hive.describe(spec.table)
    if found is None:
        hive.create(spec.table, columns, partition_names, spec.format, spec.description)
        return tuple(columns)
    require_same_layout(spec, found, partition_names)
    fit = fit_columns(
        found.columns,
        columns,
        widen_narrow=isinstance(spec, TableSpec),  # what a model's SQL returns is written as it is
        narrow_wide=isinstance(spec, TableSpec) and spec.sets_aside,
        may_lack=isinstance(spec, TableSpec) and spec.aligns_shards,
    )
    change = require_additive(spec.table, fit.change, spec.declared.at("columns"))
    if change.added:
        hive.add_columns(spec.table, change.added)
    return fit.columns


def require_same_layout(spec: AnyTable, found: HiveTable, partition_names: Sequence[str]) -> None:
    """Return if partitions of this spec fit into the table that Hive has.

    Raises:
        SchemaConflictError: Its partition columns or its format are others: what was published could not
            be read, or would be read as another partition.
    """
    facts = []
    if tuple(partition_names) != found.partition_names:
        planned, there = ", ".join(partition_names), ", ".join(found.partition_names) or "none"
        facts.append(("partitioned by", f"{there} in Hive, {planned} as planned"))
    if spec.format != found.data_format:
        facts.append(("format", f"{found.data_format} in Hive, {spec.format} as planned"))
    if not facts:
        return
    raise SchemaConflictError(
        spec.table,
        "the table in Hive is laid out in another way",
        facts=[*facts, ("declared", spec.declared.at())],
        effect="nothing was read, and what is visible stays visible",
        next_steps=["restore the table's file", "give the table another name, load it, and drop the old one"],
    )
