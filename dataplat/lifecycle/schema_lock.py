"""The schema lock against sources and Hive: what differs, and agreeing to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dataplat.errors import SourceError, SourceUnavailableError, StorageError
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.shards import require_shards
from dataplat.lifecycle.source_table import SourceTable
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.layouts import Layout, group_layouts
from dataplat.plan.partitions import latest_partition
from dataplat.plan.schema_lock import (
    SchemaDifference,
    compare_with_hive,
    compare_with_lock,
    names_used,
    refused,
    source_ddl,
)
from dataplat.specs import Catalog, SecretResolver, TableSpec
from dataplat.specs.schema_lock import LOCK_FILE, SchemaLock, read_schema_lock, render_schema_lock
from dataplat.storage.atomic_file import write_atomically


@dataclass(frozen=True)
class SchemaReport:
    """One table against the lock and against Hive.

    Attributes:
        table: Its name.
        locked: Whether somebody has agreed to its source.
        differences: All of them.
        refused: Those that a load does not take by itself.
    """

    table: str
    locked: bool
    differences: tuple[SchemaDifference, ...]
    refused: tuple[SchemaDifference, ...]


@dataclass(frozen=True)
class SourceSchema:
    """What the source of a table shows for the partition that ended last.

    Attributes:
        layouts: The shards with their columns.
        planned: The columns as they would be stored; ``None`` where ``problem`` keeps them from being read.
        problem: Why the columns cannot be read as declared.
    """

    layouts: tuple[Layout, ...]
    planned: tuple[HiveColumn, ...] | None = None
    problem: SourceError | None = None


def look_at_source(catalog: Catalog, spec: TableSpec, secrets: SecretResolver, now: datetime) -> SourceSchema:
    """Return the columns of a table's source, and how they would be stored.

    Raises:
        SourceError: The source refused, or the table or all shards are not there.
        SourceUnavailableError: It could not be reached.
    """
    keys = [latest_partition(spec.window.grain, now=now, zone=catalog.platform.zone)]
    zone = catalog.platform.timezone
    table = SourceTable(spec, catalog.instances_of(spec), spec.partition, zone, secrets)
    found = table.find_shards(keys)
    require_shards(spec, table.targets(keys), found.of(keys))
    layouts = group_layouts(found.described)
    try:
        return SourceSchema(layouts, table.survey(keys, found).hive_columns)
    except SourceUnavailableError:
        raise
    except SourceError as problem:
        return SourceSchema(layouts, problem=problem)


def compare_schema(
    spec: TableSpec, source: SourceSchema, lock: SchemaLock, platform: Platform | None
) -> SchemaReport:
    """Return how a table differs from the lock, and from Hive where a platform is given to ask it.

    Raises:
        EngineError: Hive could not be asked.
    """
    found: tuple[SchemaDifference, ...] = ()
    if spec.table in lock:
        found = compare_with_lock(lock[spec.table], source_ddl(source.layouts), names_used(spec))
    if platform is not None and source.planned is not None:
        columns = platform.hive(spec.engine).columns(spec.table)
        found += compare_with_hive(columns, source.planned, may_lack=spec.aligns_shards)
    return SchemaReport(spec.table, spec.table in lock, found, refused(found, spec.schema_policy))


def accept_schemas(catalog: Catalog, sources: Sequence[tuple[TableSpec, SourceSchema]]) -> SchemaLock:
    """Agree to the sources as they are, write the lock and return it; other tables keep their entries.

    Entries of tables that are not declared any more are dropped.

    Raises:
        SpecError: The lock that is there cannot be read. It is as it was.
        StorageError: It cannot be written. It is as it was.
    """
    before = read_schema_lock(catalog.config_dir)
    lock = {table: columns for table, columns in before.items() if table in catalog.tables}
    lock |= {spec.table: source_ddl(source.layouts) for spec, source in sources}
    path = catalog.config_dir / LOCK_FILE
    try:
        write_atomically(path, render_schema_lock(lock))
    except OSError as error:
        raise StorageError(
            f"{catalog.config_dir.name}/{LOCK_FILE}",
            "the lock cannot be written",
            facts=[("found", error.strerror or str(error))],
            effect="it is as it was",
        ) from error
    return lock
