"""What Spark makes of the answer of a source: the table's columns, and each row's partition.

Everything here is evaluated for each row, so what it costs is counted. Spark's functions of time zones and
of date formats go through ``java.time``: four columns of them cost as much as reading a row. Where the
source's clock has kept one offset (``steady_offset``) a wall clock becomes an instant by a subtraction, and
where the partitions are equally long a row's partition is looked up by a division. What lies outside of
the years or of the partitions in question takes the long way, so the result is the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from dataplat.plan.ddl import quote_identifier, quote_literal
from dataplat.plan.partitions import partition_columns
from dataplat.plan.reads import WINDOW_ALIAS, PartitionTarget, ReadShape
from dataplat.plan.windows import STEADY_YEARS, Window, steady_offset

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def render_projection(shape: ReadShape) -> list[str]:
    """Return the Spark expressions that turn the answer into the table's columns.

    The partition's values come after them when there are several partitions; a single one is written
    straight into its folder. A snapshot's row goes into each of several partitions.
    """
    projected = []
    for column in shape.columns:
        name = quote_identifier(column.target)
        projected.append(f"{_cast(name, column.hive, shape)} AS {name}")
    if shape.identity:
        projected.append(quote_identifier(shape.identity))
    return projected + render_partition_columns(shape)


def render_partition_columns(shape: ReadShape) -> list[str]:
    """Return the Spark expressions of the partition's values, by name; none where there is one partition."""
    if not shape.has_several_partitions:
        return []
    if shape.window_column is None:
        return [_each_partition(shape)]
    return [
        f"{_partition_value(shape, number, pattern)} AS {quote_identifier(name)}"
        for number, (name, pattern) in enumerate(partition_patterns(shape))
    ]


def _each_partition(shape: ReadShape) -> str:
    """Return the generator that repeats a row for every partition, with the partition's values."""
    structs = [
        ", ".join(f"{quote_literal(name)}, {quote_literal(value)}" for name, value in part.values)
        for part in shape.partitions
    ]
    return f"inline(array({', '.join(f'named_struct({struct})' for struct in structs)}))"


def partition_patterns(shape: ReadShape) -> list[tuple[str, str]]:
    """Return each partition column with the date pattern of its value."""
    names = [
        name for name, _ in partition_columns(shape.partitions[0].key, shape.grain, shape.partition_format)
    ]
    written = shape.partition_format
    patterns = [written.month_format if shape.grain == "month" else written.format]
    if shape.grain == "hour":
        patterns.append("HH")
    return list(zip(names, patterns, strict=True))


def _partition_value(shape: ReadShape, number: int, pattern: str) -> str:
    """Return the value of one partition column, by its number."""
    moment = quote_identifier(WINDOW_ALIAS)
    if shape.window_is_date:
        return f"date_format({moment}, {quote_literal(pattern)})"
    any_moment = f"date_format({_instant(moment, shape)}, {quote_literal(pattern)})"
    offset = steady_offset(ZoneInfo(shape.source_zone))
    windows = _windows_of_one_length(shape.partitions)
    if offset is None or not windows:
        return any_moment
    first, last = (_micros(windows[0].start, offset), _micros(windows[-1].end, offset))
    each = windows[0].duration // _MICROSECOND
    values = ", ".join(quote_literal(part.values[number][1]) for part in shape.partitions)
    micros = f"unix_micros({moment})"
    return (
        f"CASE WHEN {micros} >= {first} AND {micros} < {last}"
        f" THEN array({values})[CAST(({micros} - {first}) DIV {each} AS INT)] ELSE {any_moment} END"
    )


def _windows_of_one_length(partitions: Sequence[PartitionTarget]) -> list[Window]:
    """Return the windows of partitions that are equally long and leave no gap; else nothing."""
    windows = [part.window for part in partitions if part.window is not None]
    lengths = {window.duration for window in windows}
    touch = all(one.end == other.start for one, other in pairwise(windows))
    if len(windows) < len(partitions) or len(lengths) > 1 or not touch:
        return []
    steady = STEADY_YEARS[0] < windows[0].start.year and windows[-1].end.year < STEADY_YEARS[1]
    return windows if steady else []


def _cast(name: str, hive: str, shape: ReadShape) -> str:
    return _instant(name, shape) if hive == "timestamp" else f"CAST({name} AS {hive})"


def _instant(name: str, shape: ReadShape) -> str:
    """Turn a wall clock of the source into an instant.

    The engine's JVM runs in UTC and the driver shifts nothing, so what arrives is the wall clock as if
    it were UTC. Reading ``TIMESTAMP_NTZ`` instead would be shorter, but Spark does not rebase the
    driver's Julian calendar there: 1000-01-01 came back as 1000-01-06.
    """
    any_year = f"to_utc_timestamp({name}, {quote_literal(shape.source_zone)})"
    offset = steady_offset(ZoneInfo(shape.source_zone))
    if offset is None:
        return any_year
    first, last = (_micros(datetime(year, 1, 2, tzinfo=UTC), timedelta(0)) for year in STEADY_YEARS)
    micros = f"unix_micros({name})"
    shifted = f"timestamp_micros({micros} - {offset // _MICROSECOND})"
    return f"CASE WHEN {micros} >= {first} AND {micros} < {last} THEN {shifted} ELSE {any_year} END"


def _micros(instant: datetime, offset: timedelta) -> int:
    """Return what the source's clock shows at an instant, as Spark counts it."""
    return (instant - _EPOCH + offset) // _MICROSECOND
