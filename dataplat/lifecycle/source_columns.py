"""The columns of a declared table: entries of its file, typed by the source, as they are sent and stored."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from dataplat.errors import SourceError
from dataplat.plan.columns import PlannedEntry, require_columns
from dataplat.plan.dates import render_dates
from dataplat.plan.hazards import find_hazards
from dataplat.plan.layouts import Aligned, Layout, SourceColumn, align_columns, all_columns
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.sql import quote_name
from dataplat.plan.targets import window_starts
from dataplat.plan.where_dates import Rewritten, rewrite_date_conditions
from dataplat.sources.mysql import InstanceConnections, describe_entries
from dataplat.specs import TableSpec

StoredTypes = Callable[[], Mapping[str, str]]


def plan_source_columns(
    connections: InstanceConnections,
    spec: TableSpec,
    layouts: Sequence[Layout],
    targets: Sequence[PartitionTarget],
    stored: StoredTypes = dict,
) -> tuple[Aligned, str | None]:
    """Return how the columns are read, and the one of the files that holds the window column unchanged.

    Args:
        connections: The instances of the table.
        spec: The table.
        layouts: Its shards.
        targets: The partitions.
        stored: Asked for the Hive types of the table's columns if no shard has a column that is listed: what
            only later shards brought is NULL in earlier partitions.

    Raises:
        SourceError: A column is not there, has no type, or has types that do not fit together.
    """
    entries = _entries(spec, all_columns(layouts), targets)
    for layout in layouts:
        _require_window_column(spec, layout)
    anywhere = {column.name.lower() for column in all_columns(layouts)}
    gone = [entry.target for entry in entries if (entry.source_column or "").lower() not in {"", *anywhere}]
    known = {name: kind for name, kind in stored().items() if name in gone} if gone else {}
    types = [_types(connections, layout, layouts, entries, known) for layout in layouts]
    aligned = align_columns(
        spec.table, spec.declared.at("columns"), entries, layouts, types, spec.types.zero_dates, known
    )
    if spec.sets_aside:
        found = [
            find_hazards(entries, layout.columns, kinds, spec.types.zero_dates)
            for layout, kinds in zip(layouts, types, strict=True)
        ]
        by_layout = [(layout, some) for layout, some in zip(layouts, found, strict=True) if some]
        hazards = {shard: some for layout, some in by_layout for shard in layout.shards}
        aligned = replace(aligned, hazards=hazards)
    window = (spec.window.column or "").lower()
    unchanged = [entry.target for entry in entries if (entry.source_column or "").lower() == window]
    return aligned, unchanged[0] if window and unchanged else None


def render_text(spec: TableSpec, text: str, targets: Sequence[PartitionTarget]) -> str:
    """Return a text of the table's file with its date expressions as of the first partition."""
    return render_dates(text, window_starts(targets)[0], subject=spec.table)


def render_where_text(
    spec: TableSpec, targets: Sequence[PartitionTarget], layouts: Sequence[Layout], source_zone: str
) -> Rewritten | None:
    """Return the table's ``where`` as it is sent: dates rendered, functions of a date as ranges."""
    if spec.where is None:
        return None
    types: dict[str, str] = {}
    for column in (column for layout in layouts for column in layout.columns):
        name = column.name.lower()
        # A column of several types is left alone.
        types[name] = column.mysql_type if types.get(name, column.mysql_type) == column.mysql_type else ""
    return rewrite_date_conditions(render_text(spec, spec.where, targets), types, source_zone)


def _entries(
    spec: TableSpec, columns: Sequence[SourceColumn], targets: Sequence[PartitionTarget]
) -> tuple[PlannedEntry, ...]:
    texts = (
        [quote_name(column.name) for column in columns]
        if isinstance(spec.columns, str)
        else [render_text(spec, column.text, targets) for column in spec.columns]
    )
    shards = spec.read_from.shards
    reserved = [name for name, _ in targets[0].values]
    return require_columns(
        texts,
        subject=spec.table,
        declared=spec.declared.at("columns"),
        reserved=[*reserved, *([shards.identity] if shards and shards.identity else [])],
    )


def _types(
    connections: InstanceConnections,
    layout: Layout,
    layouts: Sequence[Layout],
    entries: Sequence[PlannedEntry],
    known: Collection[str],
) -> list[str | None]:
    """Return the type of each entry in one layout; none where others have the column, or Hive knows it."""
    here = {column.name.lower() for column in layout.columns}
    anywhere = {column.name.lower() for column in all_columns(layouts)}
    lacking = {
        entry.index
        for entry in entries
        if (entry.source_column and entry.source_column.lower() in anywhere - here) or entry.target in known
    }
    asked = [entry for entry in entries if entry.index not in lacking]
    table = layout.shards[0]
    found = iter(describe_entries(connections.to(table), table, asked))
    return [None if entry.index in lacking else next(found) for entry in entries]


def _require_window_column(spec: TableSpec, layout: Layout) -> None:
    column, table = spec.window.column, layout.shards[0]
    names = [item.name for item in layout.columns]
    if spec.load != "incremental" or column is None or column.lower() in map(str.lower, names):
        return
    raise SourceError(
        spec.table,
        f"the window column '{column}' does not exist at the source",
        facts=[
            ("expected", f"{column} in {table}"),
            ("found", ", ".join(names)),
            ("declared", spec.declared.at("window", "column")),
        ],
        effect="nothing was read; what was visible before is still visible",
        next_steps=[f"dataplat explain {spec.table}"],
    )


def is_window_of_dates(spec: TableSpec, layouts: Sequence[Layout]) -> bool:
    """Say whether the window column holds days without a time in all shards."""
    name = (spec.window.column or "").lower()
    kinds = {
        column.mysql_type.lower()
        for layout in layouts
        for column in layout.columns
        if column.name.lower() == name
    }
    return kinds == {"date"}
