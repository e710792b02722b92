"""The SQL of a model for one partition.

The template is filled in first (``{{ ds }}``), then date expressions (``$[yyyy-MM-dd-7]``), both from the
partition and never from the clock: March rendered again in June is March. All variables are text.

==================  ================================================================================
``ds``              day in which the partition begins, ``2026-01-09``; ``ds_nodash`` is ``20260109``
``prev_ds``         the day before it; ``next_ds`` the day after it
``month``           ``2026-01``; ``prev_month`` and ``next_month`` around it
``month_start``     first day of the month; ``month_end`` its last
``hour``            ``05``, in hourly models only; ``prev_hour`` and ``next_hour`` around it,
                    in the days ``prev_hour_ds`` and ``next_hour_ds``
``table``           the model; ``grain`` and ``partition`` (the key, ``2026-01-09-05:00``) go with it
``partition_values``  what the partition columns hold: ``{{ partition_values.ds }}``
==================  ================================================================================
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from dataplat.plan.dates import find_date_expressions, render_dates
from dataplat.plan.grains import next_wall_start, wall_start
from dataplat.plan.models.origins import Origins, Piece, replaced
from dataplat.plan.models.problems import SqlRefusedError, as_spec_error
from dataplat.plan.models.template import Filled, SqlFile, fill_template
from dataplat.plan.partitions import partition_columns
from dataplat.plan.windows import partition_window
from dataplat.specs import ModelSpec
from dataplat.specs.problems import Problem

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class RenderedSql:
    """The SQL of one partition, and the way back to the places in its file."""

    text: str
    filled: Filled
    spans: tuple[tuple[int, int, int], ...]

    @cached_property
    def pieces(self) -> list[Piece]:
        """What each stretch of the text comes from; worked out when a message asks for it."""
        return replaced(self.filled.pieces, self.spans)

    def problem_at(self, line: int, column: int, text: str) -> Problem:
        """Return a problem with a place of the text: lines count from 1, columns from 0."""
        return self.problem(position_at(self.text, line, column), text)

    def problem(self, position: int, text: str) -> Problem:
        """Return a problem with the character at ``position``, as the line of the file and a caret."""
        return self.filled.source.problem(Origins(self.pieces).origin(position), text)


def position_at(text: str, line: int, column: int) -> int:
    r"""Return the position of a place as parsers tell it: lines count from 1, columns from 0.

    >>> position_at("one\ntwo", 2, 1)
    5
    """
    return sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column


def render_model(spec: ModelSpec, partition_key: str, zone: ZoneInfo) -> str:
    """Return the SQL that makes one partition of a model, in Spark's dialect.

    Args:
        spec: The model.
        partition_key: A canonical key of the model's grain.
        zone: Where the partition's day begins; elapsed hours of date expressions are counted in it.

    Raises:
        SpecError: With file and line: an unknown variable, a template or date expression that cannot be
            read. Nothing was run.
        SelectionError: If the zone's clock skipped the partition.
    """
    return render_for_engine(spec, partition_key, zone).text


def render_for_engine(spec: ModelSpec, partition_key: str, zone: ZoneInfo) -> RenderedSql:
    """Return what ``render_model`` does, with the way back to its file. Raises as it does."""
    base = partition_window(partition_key, spec.grain, zone).start
    try:
        return render_sql(spec, partition_key, base)
    except SqlRefusedError as refused:
        raise as_spec_error(spec, refused.problems) from refused


def render_sql(spec: ModelSpec, partition_key: str, base: datetime | None = None) -> RenderedSql:
    """Return the SQL with the way back to its file.

    Args:
        spec: The model.
        partition_key: A canonical key of its grain.
        base: What date expressions count from; without it the wall clock at the partition's start.

    Raises:
        SqlRefusedError: With every problem found until then.
    """
    filled = fill_template(SqlFile(spec.sql_file, spec.sql), template_values(spec, partition_key))
    moment = base or wall_start(partition_key, spec.grain)
    done = 0
    text: list[str] = []
    spans: list[tuple[int, int, int]] = []
    for found in find_date_expressions(filled.text):
        if found.problem is not None:
            shown = f"date expression {found.text} cannot be read: {found.problem}"
            raise SqlRefusedError(filled.problem(found.start, shown))
        date = render_dates(found.text, moment)
        text += [filled.text[done : found.start], date]
        spans.append((found.start, found.end, len(date)))
        done = found.end
    rendered = RenderedSql("".join([*text, filled.text[done:]]), filled, tuple(spans))
    _refuse_spark_variables(rendered)
    return rendered


def template_values(spec: ModelSpec, partition_key: str) -> dict[str, object]:
    """Return the variables that a template may use, with their values for one partition."""
    wall = wall_start(partition_key, spec.grain)
    first = wall.replace(day=1, hour=0)
    next_month = next_wall_start(first, "month")
    values: dict[str, object] = {
        "table": spec.table,
        "grain": spec.grain,
        "partition": partition_key,
        "partition_values": dict(partition_columns(partition_key, spec.grain, spec.partition)),
        "ds": _day(wall),
        "ds_nodash": f"{wall:%Y%m%d}",
        "prev_ds": _day(wall - _DAY),
        "next_ds": _day(wall + _DAY),
        "month": _day(first)[:7],
        "prev_month": _day(first - _DAY)[:7],
        "next_month": _day(next_month)[:7],
        "month_start": _day(first),
        "month_end": _day(next_month - _DAY),
    }
    if spec.grain == "hour":
        values |= {
            "hour": f"{wall:%H}",
            "prev_hour": f"{wall - _HOUR:%H}",
            "prev_hour_ds": _day(wall - _HOUR),
            "next_hour": f"{wall + _HOUR:%H}",
            "next_hour_ds": _day(wall + _HOUR),
        }
    return values


def _day(wall: datetime) -> str:
    return wall.date().isoformat()


def _refuse_spark_variables(rendered: RenderedSql) -> None:
    position = rendered.text.find("${")
    if position >= 0:
        text = "'${' begins a variable of Spark, which would fill it in; a model's variables are {{ … }}"
        raise SqlRefusedError(rendered.problem(position, text))
