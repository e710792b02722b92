"""The quarantine: rows of a load that hold what the warehouse cannot, kept where people can look at them.

``<table>__quarantine`` shows, for each partition, the dirty rows of its last load, whatever became of that
load: they are wanted most where it was rejected. A load without dirty rows empties the partition there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dataplat.engine.jdbc import JdbcAccess, read_instances
from dataplat.engine.set_aside import DirtyRows
from dataplat.engine.stage import stage_frame
from dataplat.engine.translate import engine_errors
from dataplat.lifecycle.source_table import Survey
from dataplat.lifecycle.stations import Load
from dataplat.plan.ddl import HiveColumn, quote_literal
from dataplat.plan.dirty import quarantine_table
from dataplat.plan.hazards import REASON, ROW, SHARD, plan_dirty_reads
from dataplat.plan.partitions import hive_path
from dataplat.plan.projection import render_partition_columns
from dataplat.plan.versions import version_location
from dataplat.storage import count_partitions, delete_tree

VERSION = "version"
COLUMNS = (
    HiveColumn(REASON, "string", "what is wrong, by column"),
    HiveColumn(ROW, "string", "the row as the source shows it"),
    HiveColumn(SHARD, "string", "physical table of the row"),
    HiveColumn(VERSION, "string", "version of the load that set it aside"),
)


@dataclass(frozen=True)
class SetAside:
    """What one load set aside, by partition.

    Attributes:
        read: Rows read, dirty ones included.
        dirty: Dirty rows among them.
        kept: Rows in the files of the quarantine, by their footers.
    """

    read: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)


def watch_rows(survey: Survey) -> DirtyRows | None:
    """Return what tells the rows of a read apart; nothing where the table has no hazards."""
    shape = survey.shape
    if not shape.hazards:
        return None
    columns = render_partition_columns(shape) if shape.window_column else []
    return DirtyRows([target.values for target in shape.partitions], columns)


def keep_dirty_rows(
    load: Load, survey: Survey, rows: DirtyRows, accesses: Mapping[str, JdbcAccess]
) -> SetAside:
    """Write the dirty rows of a read into the quarantine, and show them there.

    They are read again, because Spark writes one thing at a time; nothing is read if there were none.

    Raises:
        EngineError: Spark or the metastore refused. The table shows what it showed.
        SourceUnavailableError: The source went away.
    """
    read = dict(zip(load.keys, rows.read(), strict=True))
    dirty = dict(zip(load.keys, rows.dirty(), strict=True))
    kept = _write(load, survey, accesses) if any(dirty.values()) else dict.fromkeys(load.keys, 0)
    _show(load, survey, kept)
    return SetAside(read, dirty, kept)


def _write(load: Load, survey: Survey, accesses: Mapping[str, JdbcAccess]) -> dict[str, int]:
    shape, location = survey.shape, _location(load)
    with engine_errors(load.subject):
        session = load.platform.engine(load.spec.engine).session()
        frame = read_instances(session, plan_dirty_reads(shape, survey.shards), accesses)
    columns = [REASON, ROW, SHARD, f"{quote_literal(load.version)} AS {VERSION}"]
    stage_frame(
        frame,
        [*columns, *render_partition_columns(shape)],
        partitions=[target.values for target in shape.partitions],
        location=location,
        data_format=load.spec.format,
        subject=load.subject,
    )
    folders = {target.key: hive_path(target.values) for target in shape.partitions}
    counts, _ = count_partitions(location, list(folders.values()), load.spec.format)
    return {key: counts[folder].rows for key, folder in folders.items()}


def _show(load: Load, survey: Survey, kept: Mapping[str, int]) -> None:
    """Point each partition of the quarantine at the rows of this load, and delete those it showed before."""
    table = quarantine_table(load.spec.table)
    hive, store = load.platform.hive(load.spec.engine), load.platform.partitions(load.spec.engine)
    targets = {target.key: target.values for target in survey.shape.partitions}
    exists = hive.columns(table) is not None
    before = dict(store.locations(table, list(targets.values()))) if exists else {}
    if not exists and any(kept.values()):
        names = [name for name, _ in survey.shape.partitions[0].values]
        comment = f"rows of {load.spec.table} that could not be represented"
        hive.create(table, COLUMNS, names, load.spec.format, comment)
    shown = {values: f"{_location(load)}/{hive_path(values)}" for key, values in targets.items() if kept[key]}
    if shown:
        store.publish(table, shown)
    emptied = [values for values in before if values not in shown]
    if emptied:
        store.drop(table, emptied)
    for location in before.values():
        delete_tree(location)


def _location(load: Load) -> str:
    return version_location(load.platform.table_location(quarantine_table(load.spec.table)), load.version)
