"""One text for one value, computed alike by MySQL, MariaDB and Spark; and checksums made of it.

A row becomes the texts of its columns, a row's hash is 60 bits of their MD5, and the checksum of some rows is
how many they are and the sum of their hashes. A sum does not depend on the order, and unlike an exclusive or
it does not lose a row that is there twice. Two different sets of rows have the same checksum by chance once
in 2 to the power of 60 times. Neither server overflows: both sum in decimals.

The text at the source is of the value *as a load stores it*: zero dates are NULL where the table says so, and
a wall clock that no clock ever showed (``wall_clocks``) is the one that a load makes of it. So a difference
is always something that a load would repair, with one exception: where a zone's clock still changes, a
``DATETIME`` that it jumped over differs from the hour after it that Hive holds.

What surprises:

* NULL is ``~``, which is no text of any value; a text begins with its length in bytes, so neither trailing
  spaces nor a comma nor the case of a letter is lost, and collations have no say.
* A number with a fraction is written with the scale that holds both sides, so 12.30 equals 12.3, and 12.345
  does not equal 12.35.
* A float is its eight bytes. The servers write numbers differently, but the one can put a number into a point
  on a map, whose bytes are laid down by a standard, and the other can call Java's ``doubleToLongBits``. Spark
  takes such a call for one whose answer may change, so a hash is a column of a subquery before it is summed.
* Texts and bytes without a limit are hashed before they are joined: a text larger than the server's
  ``max_allowed_packet`` would be NULL there.
* A wall clock that occurs twice is stored as its first pass. Hive's second pass is marked: it is another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dataplat.plan.ddl import quote_identifier, quote_literal
from dataplat.plan.wall_clocks import NEVER_IN_THE_CALENDAR, MovedWalls, skipped_walls
from dataplat.plan.widening import widen
from dataplat.plan.windows import STEADY_YEARS, steady_offset

Number = Literal["integer", "decimal", "double", "boolean"]
Time = Literal["date", "timestamp"]
String = Literal["text", "long text", "bytes", "long bytes", "as printed"]
Kind = Number | Time | String

NULL = "~"
AGAIN = "+"
_WITHOUT_LIMIT = re.compile(r"text|blob|json|geom|point|line|polygon", re.IGNORECASE)
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_BY_TYPE: dict[str, Kind] = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), "integer"),
    **dict.fromkeys(("float", "double"), "double"),
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
_PLAIN_SCALE = 6  # up to it Spark writes decimals without an exponent in every mode
_MICROS = 10**6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEADY_FROM, _STEADY_TO = (datetime(year, 1, 2, tzinfo=UTC) for year in STEADY_YEARS)


@dataclass(frozen=True)
class Form:
    """Which text a column's values have. ``decimal`` is ``(precision, scale)`` and empty for other kinds."""

    kind: Kind
    decimal: tuple[int, int] | None = None

    @property
    def is_text(self) -> bool:
        """Whether the values are text, whose spaces matter to a reader."""
        return self.kind in ("text", "long text", "as printed")


@dataclass(frozen=True)
class ComparedColumn:
    """A column that both sides have: its name in Hive, what is sent to the source for it, its form."""

    name: str
    sql: str
    form: Form


@dataclass(frozen=True)
class Checksum:
    """Some rows of one side: how many, and the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: "Checksum") -> "Checksum":
        return Checksum(self.rows + other.rows, self.total + other.total)


def form_of(source_type: str, arrives: str, stored: str) -> Form:
    """Return the form in which both sides write a column.

    Args:
        source_type: The type at the source, as it writes it; several where shards differ.
        arrives: The Hive type that the source's type is mapped to.
        stored: The type of the column in Hive, which may be wider; or narrower, if the source grew since.

    >>> form_of("decimal(12,4)", "decimal(12,4)", "decimal(12,2)")
    Form(kind='decimal', decimal=(14, 4))
    >>> form_of("varchar(20)", "string", "int").kind
    'as printed'
    """
    common = widen(arrives, stored)
    if common is None:
        return Form("as printed")
    if common in _BY_TYPE:
        return Form(_BY_TYPE[common])
    number = _DECIMAL.fullmatch(common)
    if number:
        return Form("decimal", (int(number[1]), int(number[2])))
    long = bool(_WITHOUT_LIMIT.search(source_type))
    if common == "binary":
        return Form("long bytes" if long else "bytes")
    return Form("long text" if long else "text")


def source_text(form: Form, sql: str, zone: ZoneInfo) -> str:
    """Return the MySQL expression of a value's text; NULL for NULL.

    Args:
        form: The column's form.
        sql: What is sent to the source for the column.
        zone: Where the source's wall clock lives.
    """
    value = f"({sql})"
    in_utf8 = f"CONVERT({sql} USING utf8mb4)"
    match form.kind:
        case "integer" | "boolean":
            return f"CAST({value} + 0 AS CHAR)"  # a column may be ZEROFILL
        case "decimal":
            precision, scale = form.decimal or (10, 0)
            return f"CAST(CAST({sql} AS DECIMAL({precision},{scale})) + 0 AS CHAR)"
        case "double":
            return f"HEX(SUBSTR(ST_AsWKB(POINT({value} + 0e0, 0)), 6, 8))"  # + 0 makes -0 a 0
        case "date":
            moved = NEVER_IN_THE_CALENDAR
            days = f"{value} + INTERVAL {moved.seconds // 86400} DAY"
            return f"CAST(IF({_between(value, moved)}, {days}, {value}) AS CHAR)"
        case "timestamp":
            return f"CAST({_source_micros(value, zone)} AS CHAR)"
        case "text":
            return f"CONCAT(LENGTH({in_utf8}), ':', {in_utf8})"
        case "long text":
            return f"MD5({in_utf8})"
        case "bytes":
            return f"HEX({value})"
        case "long bytes":
            return f"MD5({value})"
        case "as printed":
            printed = f"CONVERT(CAST({sql} AS CHAR) USING utf8mb4)"
            return f"CONCAT(LENGTH({printed}), ':', {printed})"


def spark_text(form: Form, column: str, zone: ZoneInfo) -> str:
    """Return the Spark expression of the same text; ``column`` is quoted already."""
    match form.kind:
        case "integer":
            return f"CAST({column} AS STRING)"
        case "boolean":
            return f"CAST(CAST({column} AS TINYINT) AS STRING)"
        case "decimal":
            precision, scale = form.decimal or (10, 0)
            exact = f"CAST({column} AS DECIMAL({precision},{scale}))"
            if scale <= _PLAIN_SCALE:
                return f"CAST({exact} AS STRING)"
            return f"replace(format_number({exact}, {scale}), ',', '')"
        case "double":
            bits = _call("java.lang.Double", "doubleToLongBits", f"CAST({column} AS DOUBLE) + 0D")
            as_at_source = f"lpad(hex({_call('java.lang.Long', 'reverseBytes', bits)}), 16, '0')"
            return f"IF({column} IS NULL, NULL, {as_at_source})"  # no Java method takes NULL for a number
        case "date":
            return f"CAST({column} AS STRING)"
        case "timestamp":
            return _spark_micros(column, zone)
        case "text":
            return f"concat(octet_length({column}), ':', {column})"
        case "bytes":
            return f"hex({column})"
        case "long text" | "long bytes":
            return f"md5(CAST({column} AS BINARY))"
        case "as printed":
            printed = f"CAST({column} AS STRING)"
            return f"concat(octet_length({printed}), ':', {printed})"


def source_row(columns: Sequence[ComparedColumn], zone: ZoneInfo, sent: Sequence[str] = ()) -> str:
    """Return the MySQL expression of some columns' texts, joined; never NULL.

    Args:
        columns: What is joined, in order.
        zone: Where the source's wall clock lives.
        sent: What is sent for them to a shard that is laid out otherwise.
    """
    asked = sent or [column.sql for column in columns]
    texts = [source_text(column.form, sql, zone) for column, sql in zip(columns, asked, strict=True)]
    return f"CONCAT_WS(',', {', '.join(f'COALESCE({text}, {NULL!r})' for text in texts)})"


def spark_row(columns: Sequence[ComparedColumn], zone: ZoneInfo) -> str:
    """Return the Spark expression of the same."""
    texts = [spark_text(column.form, quote_identifier(column.name), zone) for column in columns]
    joined = ", ".join(
        f"IF({quote_identifier(column.name)} IS NULL, {NULL!r}, {text})"
        for column, text in zip(columns, texts, strict=True)
    )
    return f"concat_ws(',', {joined})"


def source_hash(row: str) -> str:
    """Return the MySQL expression of a row's hash: an unsigned number of 60 bits."""
    return f"CAST(CONV(LEFT(MD5({row}), 15), 16, 10) AS UNSIGNED)"


def spark_hash(row: str) -> str:
    """Return the Spark expression of the same number, as a decimal, whose sum has room."""
    digest = f"md5(CAST({row} AS BINARY))"
    return f"CAST(conv(substring({digest}, 1, 15), 16, 10) AS DECIMAL(20,0))"


def _between(value: str, moved: MovedWalls) -> str:
    return f"{value} >= '{moved.start}' AND {value} < '{moved.end}'"


def _call(type_name: str, method: str, argument: str) -> str:
    return f"CAST(reflect('{type_name}', '{method}', {argument}) AS BIGINT)"


def _source_micros(value: str, zone: ZoneInfo) -> str:
    """Return the microseconds of a wall clock since 1970, as if it were UTC, and as a load stores it."""
    micros = f"TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', {value})"
    moved = [NEVER_IN_THE_CALENDAR]
    if steady_offset(zone) is not None:
        moved += skipped_walls(zone)
    later = " ".join(f"WHEN {_between(value, one)} THEN {one.seconds * _MICROS}" for one in moved)
    first, last = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (_STEADY_FROM, _STEADY_TO))
    return f"{micros} + IF({value} >= '{first}' AND {value} < '{last}', 0, CASE {later} ELSE 0 END)"


def _spark_micros(column: str, zone: ZoneInfo) -> str:
    name = quote_literal(zone.key)
    wall = f"from_utc_timestamp({column}, {name})"
    first_pass = f"to_utc_timestamp({wall}, {name}) = {column}"
    any_year = f"concat(unix_micros({wall}), IF({first_pass}, '', '{AGAIN}'))"
    offset = steady_offset(zone)
    if offset is None:
        return any_year
    shift = offset // timedelta(microseconds=1)
    first, last = ((at - _EPOCH) // timedelta(microseconds=1) - shift for at in (_STEADY_FROM, _STEADY_TO))
    micros = f"unix_micros({column})"
    steady = f"{micros} >= {first} AND {micros} < {last}"
    return f"CASE WHEN {steady} THEN CAST({micros} + {shift} AS STRING) ELSE {any_year} END"
