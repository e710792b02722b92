"""The table of all types: nothing is forgotten, and no value is only there once in a lucky row."""

from dataplat.demo.every_type import COLUMNS, EDGE_ROWS, render_table

NUMBERS = {
    "TINYINT",
    "SMALLINT",
    "MEDIUMINT",
    "INT",
    "BIGINT",
    "BOOLEAN",
    "BIT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
}
CHOICES = {"ENUM", "SET", "JSON"}
TIMES = {"YEAR", "DATE", "TIME", "DATETIME", "TIMESTAMP"}
TEXTS = {"CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"}
BYTES = {"BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"}
SHAPES = {"POINT", "GEOMETRY"}


def test_every_type_of_mysql_has_a_column() -> None:
    declared = {column.declared.split("(")[0].split(" ")[0] for column in COLUMNS}
    assert declared == NUMBERS | CHOICES | TIMES | TEXTS | BYTES | SHAPES


def test_every_integer_is_there_signed_and_unsigned() -> None:
    declared = {column.declared for column in COLUMNS}
    for name in ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"):
        assert {name, f"{name} UNSIGNED"} <= declared


def test_every_edge_value_has_a_row() -> None:
    assert max(len(column.edges) for column in COLUMNS) <= EDGE_ROWS // 2


def test_every_column_may_be_null() -> None:
    assert render_table("d.t").count(" NULL DEFAULT NULL") == len(COLUMNS)
