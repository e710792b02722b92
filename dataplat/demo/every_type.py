"""One table with every column type of MySQL and the values that break readers of them.

For round trips: what the source holds against what the warehouse holds, column by column. Row 1 is NULL
everywhere. Rows 2 to ``EDGE_ROWS`` walk through each column's edge values; the rest are drawn at random
within the type's range, the same for the same seed. Every row is updated on 2026-01-05, so one
daily partition holds the table.

Two columns hold values that not every reader can represent, so that a test can leave them out and say
so: ``c_date_ancient`` (years before 1000) and ``c_date_partial`` (``2026-02-00``).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from dataplat.demo.bulk import ConnectionFactory, session

DAY = date(2026, 1, 5)
ROWS = 500
EDGE_ROWS = 60

Draw = Callable[[random.Random], str]


@dataclass(frozen=True)
class TypeColumn:
    """A column: its declaration in MySQL and its edge values as SQL expressions."""

    name: str
    declared: str
    edges: tuple[str, ...]
    draw: Draw | None = None


def _texts(*values: str) -> tuple[str, ...]:
    return tuple("'" + value.replace("\\", "\\\\").replace("'", "''") + "'" for value in values)


def _integer(name: str, declared: str, low: int, high: int) -> TypeColumn:
    edges = (low, high, 0, 1, high - 1, low + 1, high // 2 + 1)
    return TypeColumn(name, declared, tuple(map(str, edges)), lambda draw: str(draw.randint(low, high)))


def _decimal(precision: int, scale: int, suffix: str = "") -> TypeColumn:
    nines = "9" * (precision - scale) + ("." + "9" * scale if scale else "")
    least = "0." + "0" * (scale - 1) + "1" if scale else "1"
    signs = ("",) if suffix else ("", "-")

    def draw(random_numbers: random.Random) -> str:
        units = str(random_numbers.randrange(10**precision)).zfill(precision + 1)
        point = len(units) - scale
        return random_numbers.choice(signs) + units[:point] + ("." + units[point:] if scale else "")

    edges = tuple(sign + value for value in (nines, least) for sign in signs)
    name = f"c_decimal_{precision}_{scale}{suffix.lower().replace(' ', '_')}"
    return TypeColumn(name, f"DECIMAL({precision},{scale}){suffix}", (*edges, "0"), draw)


def _bits(width: int) -> TypeColumn:
    high = (1 << width) - 1
    edges = tuple(f"b'{value:b}'" for value in (0, 1, high, high // 2 + 1))
    return TypeColumn(f"c_bit_{width}", f"BIT({width})", edges, lambda draw: f"b'{draw.randint(0, high):b}'")


def _moment(draw: random.Random) -> str:
    day = date.fromordinal(draw.randint(date(1000, 1, 1).toordinal(), date(9999, 12, 31).toordinal()))
    clock = f"{draw.randrange(24):02d}:{draw.randrange(60):02d}:{draw.randrange(60):02d}"
    return f"'{day} {clock}.{draw.randrange(10**6):06d}'"


def _duration(draw: random.Random) -> str:
    clock = (
        f"{draw.randrange(838)}:{draw.randrange(60):02d}:{draw.randrange(60):02d}.{draw.randrange(10**6):06d}"
    )
    return f"'{draw.choice(['', '-'])}{clock}'"


def _point(draw: random.Random) -> str:
    return f"POINT({draw.uniform(-180, 180)!r}, {draw.uniform(-90, 90)!r})"


def _hex(draw: random.Random) -> str:
    return f"X'{draw.randbytes(draw.randint(0, 40)).hex()}'"


_WORDS = _texts(
    "", " ", "NULL", "null", "trailing  ", "  leading", "中文，全角　空格", "👩‍👩‍👧‍👦🇨🇳", "𠮷",
    "e\u0301 ≠ é", "עברית",
    "tab\there", "line\nbreak\r\n", "quote \" ' `", "back\\slash \\N", "a,b;c|d\x01e",
    "\ufeffbom", "0", "true",
)  # fmt: skip
_BYTES = ("X''", "X'00'", "X'FF'", "X'0001020300'", "X'E4B8AD'", "X'FFFE20'", "X'2020'")
_DAYS = _texts(
    "1000-01-01", "9999-12-31", "1970-01-01", "2024-02-29", "1582-10-10", "1900-01-01", "0000-00-00"
)
_MOMENTS = _texts(
    "1000-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999", "1970-01-01 00:00:00",
    "1969-12-31 23:59:59.5",
    "2026-01-05 00:00:00", "2026-01-05 23:59:59.999999", "1986-05-04 02:30:00", "1940-06-01 00:30:00",
    "1900-12-31 23:54:17", "2038-01-19 03:14:08", "0000-00-00 00:00:00",
)  # fmt: skip
_STAMPS = _texts(
    "1970-01-01 08:00:01", "2038-01-19 11:14:07", "1986-05-04 02:30:00", "2026-01-05 12:00:00.123456",
    "0000-00-00 00:00:00",
)  # fmt: skip

COLUMNS: tuple[TypeColumn, ...] = (
    _integer("c_tinyint", "TINYINT", -128, 127),
    _integer("c_tinyint_unsigned", "TINYINT UNSIGNED", 0, 255),
    TypeColumn("c_tinyint_1", "TINYINT(1)", ("0", "1", "-1", "2", "127", "-128")),
    TypeColumn("c_bool", "BOOLEAN", ("TRUE", "FALSE")),
    _integer("c_smallint", "SMALLINT", -(2**15), 2**15 - 1),
    _integer("c_smallint_unsigned", "SMALLINT UNSIGNED", 0, 2**16 - 1),
    _integer("c_mediumint", "MEDIUMINT", -(2**23), 2**23 - 1),
    _integer("c_mediumint_unsigned", "MEDIUMINT UNSIGNED", 0, 2**24 - 1),
    _integer("c_int", "INT", -(2**31), 2**31 - 1),
    _integer("c_int_unsigned", "INT UNSIGNED", 0, 2**32 - 1),
    _integer("c_int_zerofill", "INT(8) UNSIGNED ZEROFILL", 0, 2**32 - 1),
    _integer("c_bigint", "BIGINT", -(2**63), 2**63 - 1),
    _integer("c_bigint_unsigned", "BIGINT UNSIGNED", 0, 2**64 - 1),
    _bits(1),
    _bits(8),
    _bits(64),
    TypeColumn("c_float", "FLOAT", ("0", "-0.5", "1.5", "3.402823e38", "-3.402823e38", "1.17549e-38")),
    TypeColumn(
        "c_double",
        "DOUBLE",
        (
            "0",
            "0.1",
            "-1e-10",
            "1.7976931348623157e308",
            "-1.7976931348623157e308",
            "2.2250738585072014e-308",
        ),
        lambda draw: repr(draw.gauss(0, 1e9)),
    ),
    _decimal(10, 0),
    _decimal(12, 2, " UNSIGNED"),
    _decimal(18, 4),
    _decimal(38, 10),
    _decimal(38, 38),
    _decimal(65, 30),
    _decimal(65, 0),
    TypeColumn("c_enum", "ENUM('small','medium','大','')", _texts("small", "medium", "大", "")),
    TypeColumn("c_set", "SET('a','b','c','d e')", _texts("", "a", "a,c", "a,b,c,d e")),
    TypeColumn(
        "c_json",
        "JSON",
        _texts(
            "{}",
            "[]",
            "null",
            '"text"',
            '{"a": [1, 2.50, {"键": "值😀"}], "b": null}',
            "12345678901234567890",
        ),
    ),
    TypeColumn("c_year", "YEAR", ("1901", "2155", "2026", "'0000'")),
    TypeColumn("c_date", "DATE", _DAYS, lambda draw: f"{_moment(draw)[:11]}'"),
    TypeColumn("c_date_ancient", "DATE", _texts("0001-01-01", "0999-12-31", "0476-09-04")),
    TypeColumn("c_date_partial", "DATE", _texts("2026-02-00", "2026-00-00")),
    TypeColumn("c_time", "TIME", _texts("00:00:00", "23:59:59", "-00:00:01", "838:59:59", "-838:59:59")),
    TypeColumn(
        "c_time_6",
        "TIME(6)",
        _texts("00:00:00.000001", "-00:00:00.000001", "24:00:00", "838:59:59.999999", "-838:59:59.999999"),
        _duration,
    ),
    TypeColumn("c_datetime", "DATETIME", _MOMENTS, _moment),
    TypeColumn("c_datetime_3", "DATETIME(3)", _MOMENTS, _moment),
    TypeColumn("c_datetime_6", "DATETIME(6)", _MOMENTS, _moment),
    TypeColumn("c_timestamp", "TIMESTAMP", _STAMPS),
    TypeColumn("c_timestamp_6", "TIMESTAMP(6)", _STAMPS),
    TypeColumn("c_char", "CHAR(20)", _WORDS),
    TypeColumn("c_varchar", "VARCHAR(200)", _WORDS),
    TypeColumn("c_varchar_latin1", "VARCHAR(50) CHARACTER SET latin1", _texts("café", "€", "", "x ")),
    TypeColumn("c_varchar_gbk", "VARCHAR(50) CHARACTER SET gbk", _texts("中文", "龍", "", "x ")),
    TypeColumn("c_tinytext", "TINYTEXT", _WORDS),
    TypeColumn("c_text", "TEXT", _WORDS),
    TypeColumn("c_mediumtext", "MEDIUMTEXT", (*_WORDS, "REPEAT('长', 100000)")),
    TypeColumn("c_longtext", "LONGTEXT", (*_WORDS, "REPEAT('0123456789', 100000)")),
    TypeColumn("c_binary", "BINARY(8)", _BYTES),
    TypeColumn("c_varbinary", "VARBINARY(255)", _BYTES, _hex),
    TypeColumn("c_tinyblob", "TINYBLOB", _BYTES, _hex),
    TypeColumn("c_blob", "BLOB", _BYTES, _hex),
    TypeColumn("c_mediumblob", "MEDIUMBLOB", _BYTES, _hex),
    TypeColumn("c_longblob", "LONGBLOB", (*_BYTES, "REPEAT(X'00FF', 100000)"), _hex),
    TypeColumn("c_point", "POINT", ("POINT(0, 0)", "POINT(121.4737, 31.2304)", "POINT(-180, -90)"), _point),
    TypeColumn(
        "c_geometry",
        "GEOMETRY",
        (
            "POINT(1, 2)",
            "ST_GeomFromText('LINESTRING(0 0,1 1)')",
            "ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 0))', 4326)",
        ),
    ),
    TypeColumn("order", "INT", ("1", "2")),
)


def fill_every_type(
    connect: ConnectionFactory, table: str = "market.t_every_type", *, rows: int = ROWS, seed: int = 7
) -> int:
    """Drop and create the table and return its number of rows; its database is created when missing.

    Columns: ``id``, everything in ``COLUMNS`` nullable, and ``update_time``, always on ``DAY``.
    """
    database = table.split(".")[0]
    draw = random.Random(seed)  # noqa: S311 (test values, not secrets)
    with session(connect) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4")
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(render_table(table))
        names = ", ".join(f"`{column.name}`" for column in COLUMNS)
        for row in range(1, rows + 1):
            values = ", ".join(_value(column, position, row, draw) for position, column in enumerate(COLUMNS))
            cursor.execute(
                f"INSERT INTO {table} (id, {names}, update_time) "
                f"VALUES ({row}, {values}, '{DAY}' + INTERVAL {row * 100} SECOND)"
            )
    return rows


def render_table(table: str) -> str:
    """Return the CREATE statement."""
    columns = ",\n".join(f"  `{column.name}` {column.declared} NULL DEFAULT NULL" for column in COLUMNS)
    return (
        f"CREATE TABLE {table} (\n  id BIGINT UNSIGNED NOT NULL PRIMARY KEY,\n{columns},\n"
        "  update_time DATETIME NOT NULL,\n  KEY idx_update_time (update_time)\n"
        ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4"
    )


def _value(column: TypeColumn, position: int, row: int, draw: random.Random) -> str:
    if row == 1 or (row + position) % 23 == 0:
        return "NULL"
    if row <= EDGE_ROWS or column.draw is None:
        return column.edges[(row - 2) % len(column.edges)]
    return column.draw(draw)
