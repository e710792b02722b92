"""The text of a value, as each side is asked for it. That both compute the same is an integration test."""

from zoneinfo import ZoneInfo

import pytest

from dataplat.plan.checksums import (
    ComparedColumn,
    Form,
    form_of,
    source_row,
    source_text,
    spark_row,
    spark_text,
)

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")

FORMS = {
    ("int(8) unsigned zerofill", "bigint", "bigint"): Form("integer"),
    ("bit(1)", "boolean", "boolean"): Form("boolean"),
    ("bigint(20) unsigned", "decimal(20,0)", "decimal(20,0)"): Form("decimal", (20, 0)),
    ("float", "float", "double"): Form("double"),
    ("date", "date", "date"): Form("date"),
    ("timestamp(6)", "timestamp", "timestamp"): Form("timestamp"),
    ("varchar(20)", "string", "string"): Form("text"),
    ("mediumtext", "string", "string"): Form("long text"),
    ("varchar(20) / text", "string", "string"): Form("long text"),
    ("json", "string", "string"): Form("long text"),
    ("binary(8)", "binary", "binary"): Form("bytes"),
    ("longblob", "binary", "binary"): Form("long bytes"),
    ("point", "binary", "binary"): Form("long bytes"),
}


@pytest.mark.parametrize(("types", "form"), FORMS.items(), ids=[types[0] for types in FORMS])
def test_a_column_has_the_form_of_its_types(types: tuple[str, str, str], form: Form) -> None:
    assert form_of(*types) == form


@pytest.mark.parametrize(
    ("arrives", "stored", "form"),
    [
        ("int", "bigint", Form("integer")),
        ("bigint", "int", Form("integer")),
        ("decimal(12,4)", "decimal(14,2)", Form("decimal", (16, 4))),
        ("int", "decimal(12,2)", Form("decimal", (12, 2))),
        ("double", "float", Form("double")),
    ],
)
def test_the_form_holds_what_either_side_may_hold(arrives: str, stored: str, form: Form) -> None:
    assert form_of("", arrives, stored) == form


@pytest.mark.parametrize(
    ("arrives", "stored"),
    [("string", "int"), ("date", "timestamp"), ("bigint", "double"), ("binary", "string")],
)
def test_types_that_nothing_holds_together_are_compared_as_each_side_prints_them(
    arrives: str, stored: str
) -> None:
    form = form_of("varchar(9)", arrives, stored)
    assert form == Form("as printed")
    printed = "CONVERT(CAST(x AS CHAR) USING utf8mb4)"
    assert source_text(form, "x", SHANGHAI) == f"CONCAT(LENGTH({printed}), ':', {printed})"
    assert spark_text(form, "x", SHANGHAI) == (
        "concat(octet_length(CAST(x AS STRING)), ':', CAST(x AS STRING))"
    )


PLAIN = {
    "integer": ("CAST((x) + 0 AS CHAR)", "CAST(x AS STRING)"),
    "boolean": ("CAST((x) + 0 AS CHAR)", "CAST(CAST(x AS TINYINT) AS STRING)"),
    "text": (
        "CONCAT(LENGTH(CONVERT(x USING utf8mb4)), ':', CONVERT(x USING utf8mb4))",
        "concat(octet_length(x), ':', x)",
    ),
    "long text": ("MD5(CONVERT(x USING utf8mb4))", "md5(CAST(x AS BINARY))"),
    "bytes": ("HEX((x))", "hex(x)"),
    "long bytes": ("MD5((x))", "md5(CAST(x AS BINARY))"),
    "date": (
        (
            "CAST(IF((x) >= '1582-10-05 00:00:00' AND (x) < '1582-10-15 00:00:00',"
            " (x) + INTERVAL 10 DAY, (x)) AS CHAR)"
        ),
        "CAST(x AS STRING)",
    ),
    "double": (
        "HEX(SUBSTR(ST_AsWKB(POINT((x) + 0e0, 0)), 6, 8))",
        (
            "IF(x IS NULL, NULL, lpad(hex(CAST(reflect('java.lang.Long', 'reverseBytes',"
            " CAST(reflect('java.lang.Double', 'doubleToLongBits', CAST(x AS DOUBLE) + 0D) AS BIGINT))"
            " AS BIGINT)), 16, '0'))"
        ),
    ),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_each_side_is_asked_for_the_text_in_its_own_words(kind: str) -> None:
    form = Form(kind)  # type: ignore[arg-type]
    assert (source_text(form, "x", SHANGHAI), spark_text(form, "x", SHANGHAI)) == PLAIN[kind]


@pytest.mark.parametrize(
    ("scale", "in_spark"),
    [
        (2, "CAST(CAST(x AS DECIMAL(20,2)) AS STRING)"),
        (7, "replace(format_number(CAST(x AS DECIMAL(20,7)), 7), ',', '')"),
    ],
)
def test_a_decimal_is_written_with_its_scale_and_never_with_an_exponent(scale: int, in_spark: str) -> None:
    form = Form("decimal", (20, scale))
    assert source_text(form, "x", SHANGHAI) == f"CAST(CAST(x AS DECIMAL(20,{scale})) + 0 AS CHAR)"
    assert spark_text(form, "x", SHANGHAI) == in_spark


def test_a_time_is_the_microseconds_of_its_wall_clock() -> None:
    at_source = source_text(Form("timestamp"), "x", SHANGHAI)
    assert at_source.startswith(
        "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', (x))"
        " + IF((x) >= '1992-01-02 00:00:00' AND (x) < '2045-01-02 00:00:00', 0,"
        " CASE WHEN (x) >= '1582-10-05 00:00:00' AND (x) < '1582-10-15 00:00:00' THEN 864000000000"
        " WHEN (x) >= '1919-04-13 00:00:00' AND (x) < '1919-04-13 01:00:00' THEN 3600000000 "
    )
    assert at_source.endswith(" THEN 3600000000 ELSE 0 END) AS CHAR)")
    assert spark_text(Form("timestamp"), "x", SHANGHAI) == (
        "CASE WHEN unix_micros(x) >= 694281600000000 AND unix_micros(x) < 2366899200000000"
        " THEN CAST(unix_micros(x) + 28800000000 AS STRING)"
        " ELSE concat(unix_micros(from_utc_timestamp(x, 'Asia/Shanghai')),"
        " IF(to_utc_timestamp(from_utc_timestamp(x, 'Asia/Shanghai'), 'Asia/Shanghai') = x, '', '+')) END"
    )


def test_where_clocks_change_only_the_calendar_moves_a_wall_clock() -> None:
    at_source = source_text(Form("timestamp"), "x", NEW_YORK)
    assert at_source.count(" THEN ") == 1
    assert spark_text(Form("timestamp"), "x", NEW_YORK) == (
        "concat(unix_micros(from_utc_timestamp(x, 'America/New_York')),"
        " IF(to_utc_timestamp(from_utc_timestamp(x, 'America/New_York'), 'America/New_York') = x, '', '+'))"
    )


def test_a_row_is_the_texts_of_its_columns_and_NULL_is_none_of_them() -> None:
    columns = [
        ComparedColumn("id", "`id`", Form("integer")),
        ComparedColumn("order", "`Order`", Form("bytes")),
    ]
    assert source_row(columns, SHANGHAI) == (
        "CONCAT_WS(',', COALESCE(CAST((`id`) + 0 AS CHAR), '~'), COALESCE(HEX((`Order`)), '~'))"
    )
    assert source_row(columns, SHANGHAI, ["NULL", "`other`"]) == (
        "CONCAT_WS(',', COALESCE(CAST((NULL) + 0 AS CHAR), '~'), COALESCE(HEX((`other`)), '~'))"
    )
    assert spark_row(columns, SHANGHAI) == (
        "concat_ws(',', IF(`id` IS NULL, '~', CAST(`id` AS STRING)), IF(`order` IS NULL, '~', hex(`order`)))"
    )
