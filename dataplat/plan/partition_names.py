"""Reading one partition as people and schedulers spell it.

An hour is ``2026010905``, ``2026-01-09 05``, ``2026-01-09T05:00`` or ``2026-01-09-05:00``; a day is
``20260109`` or ``2026-01-09``; a month is ``202601`` or ``2026-01``. The grain decides which is meant, and
text of another grain is refused with what is expected: guessing would load something else.

Where clocks change (``plan.windows`` has the rule), Dagster's ``HourlyPartitionsDefinition`` has two keys
for the hour that occurs twice: ``2026-11-01-01:00`` and ``2026-11-01-01:00-0500``. Here that hour is one
partition, and both name it. Zones that shift by half an hour (Australia/Lord_Howe) make Dagster drift to
keys such as ``2026-04-05-02:30``; an hourly table cannot follow it there, and such a key is refused.
Zones without clock changes agree with Dagster key by key.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from dataplat.errors import SelectionError
from dataplat.plan.grains import FIRST_YEAR, LAST_YEAR, Grain, partition_key

_DAY = r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
_HOUR_OF_DIGITS = r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<hour>[0-9]{2})"
_HOUR = (
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[ T-](?P<hour>[0-9]{2})"
    r"(?::00(?::00)?(?:[+-][0-9]{4})?)?"
)
_MONTH = r"(?P<year>[0-9]{4})-?(?P<month>[0-9]{2})"
_SPELLINGS: dict[Grain, tuple[re.Pattern[str], ...]] = {
    "hour": (re.compile(_HOUR_OF_DIGITS), re.compile(_HOUR)),
    "day": (re.compile(_DAY),),
    "month": (re.compile(_MONTH),),
}
EXPECTED: dict[Grain, str] = {
    "hour": "an hour: YYYYMMDDHH or YYYY-MM-DD HH",
    "day": "a day: YYYYMMDD or YYYY-MM-DD",
    "month": "a month: YYYYMM or YYYY-MM",
}
EXPECTED_IN_SELECTION: dict[Grain, str] = EXPECTED | {"hour": EXPECTED["hour"] + "; or a day, for its hours"}
_BATCH_GRAINS: dict[int, Grain] = {10: "hour", 8: "day", 6: "month"}


def parse_partition(text: str, grain: Grain, *, subject: str = "") -> str:
    """Return the canonical key of the one partition that ``text`` names.

    Whether that partition exists in a table or in a time zone is not asked here.

    Args:
        text: What somebody typed; blanks around it do not matter.
        grain: The table's grain.
        subject: The table, for the message.

    Raises:
        SelectionError: If ``text`` is no partition of this grain, or there is no such day or hour.

    >>> parse_partition("2026010905", "hour"), parse_partition("20260109", "day")
    ('2026-01-09-05:00', '2026-01-09')
    """
    wall = _read(text, grain)
    if not isinstance(wall, datetime):
        raise _unreadable(text, wall, EXPECTED[grain], subject)
    return partition_key(wall, grain)


def parse_span(text: str, grain: Grain, *, subject: str = "") -> tuple[datetime, datetime]:
    """Return the wall-clock beginnings of the first and last partition that a name in a selection means.

    They differ only where an hourly table is given a day.

    Raises:
        SelectionError: As ``parse_partition`` does.
    """
    wall = _read(text, grain)
    if isinstance(wall, datetime):
        return wall, wall
    day = _read(text, "day") if grain == "hour" else ""
    if isinstance(day, datetime):
        return day, day.replace(hour=23)
    raise _unreadable(text, wall, EXPECTED_IN_SELECTION[grain], subject)


@dataclass(frozen=True, slots=True)
class BatchDate:
    """The business date of a scheduler's batch. ``warning`` is empty unless its length surprised."""

    key: str
    grain: Grain
    warning: str


def read_batch_number(batch_no: str, grain: Grain, *, subject: str = "") -> BatchDate:
    """Return the partition that a scheduler's ``batch_no`` stands for.

    The number decides: if its length disagrees with the declared grain, it is read as what its length
    says, with a warning to show to people.

    Raises:
        SelectionError: If it is not 6, 8 or 10 digits, or names no date.

    >>> read_batch_number("2026010905", "day").warning
    "batch number '2026010905' is of an hour, its schedule is declared per day"
    """
    meant = _BATCH_GRAINS.get(len(batch_no))
    if meant is None or not re.fullmatch("[0-9]+", batch_no):
        expected = "digits only: YYYYMMDDHH, YYYYMMDD or YYYYMM"
        raise _unreadable(batch_no, f"'{batch_no}'", expected, subject, problem="no batch number")
    warning = ""
    if meant != grain:
        article = "an" if meant == "hour" else "a"
        warning = f"batch number '{batch_no}' is of {article} {meant}, its schedule is declared per {grain}"
    return BatchDate(parse_partition(batch_no, meant, subject=subject), meant, warning)


def _read(text: str, grain: Grain) -> datetime | str:
    """Return the wall time that ``text`` names, or what was found instead."""
    stripped = text.strip()
    match = next((m for spelling in _SPELLINGS[grain] if (m := spelling.fullmatch(stripped))), None)
    if match is None:
        return _what_it_is(stripped, grain)
    fields = {name: int(digits) for name, digits in match.groupdict().items() if digits and digits != "-"}
    if not FIRST_YEAR <= fields["year"] <= LAST_YEAR:
        return f"'{stripped}': years run from {FIRST_YEAR} to {LAST_YEAR}"
    try:
        day = date(fields["year"], fields["month"], fields.get("day", 1))
        return datetime.combine(day, time(fields.get("hour", 0)))
    except ValueError as error:
        return f"'{stripped}': {error}"


def _what_it_is(text: str, grain: Grain) -> str:
    for other, spellings in _SPELLINGS.items():
        if other != grain and any(spelling.fullmatch(text) for spelling in spellings):
            return f"'{text}', which is {'an' if other == 'hour' else 'a'} {other}"
    return f"'{text}'"


def _unreadable(
    text: str, found: str, expected: str, subject: str, *, problem: str = "no partition"
) -> SelectionError:
    return SelectionError(
        subject or "partition",
        f"'{text.strip()}' is {problem} that can be read",
        facts=(("expected", expected), ("found", found)),
        effect="nothing was read",
    )
