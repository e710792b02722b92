"""The type map: every declared type has one Hive type, and what has none is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SourceError
from dataplat.plan.types import (
    MappedType,
    has_zero_dates,
    map_columns,
    map_type,
    require_types,
    zero_date_predicate,
)
from dataplat_tests.conftest import Golden

GOLDEN = Path(__file__).parents[2] / "golden" / "types" / "map.txt"
# fmt: off
NO_ARGUMENTS = (
    "bool", "boolean", "int", "integer", "mediumint", "smallint", "tinyint", "bigint", "decimal",
    "numeric", "float", "double", "real", "bit", "char", "varchar", "tinytext", "text",
    "mediumtext", "longtext", "json", "uuid", "inet4", "inet6", "year", "date", "time", "datetime",
    "timestamp", "tinyblob", "blob", "mediumblob", "longblob", "varbinary", "binary", "geometry",
    "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
)
# fmt: on
DECLARED = (
    "tinyint(1)",
    "tinyint(4)",
    "tinyint(3) unsigned",
    "smallint(5) unsigned",
    "mediumint(8) unsigned",
    "int(10) unsigned zerofill",
    "bigint(20)",
    "bigint(20) unsigned",
    "decimal(10,2)",
    "decimal(10,2) unsigned",
    "decimal(38,38)",
    "decimal(38,0)",
    "decimal(39,0)",
    "decimal(65,30)",
    "float(7,4)",
    "double(10,2) unsigned",
    "double precision",
    "bit(1)",
    "bit(8)",
    "bit(63)",
    "bit(64)",
    "varchar(255) character set latin1 collate latin1_swedish_ci",
    "enum('a','b (c)','it''s')",
    "set('x','y')",
    "year(4)",
    "time(6)",
    "datetime(3)",
    "timestamp(6)",
    "datetime /* mariadb-5.3 */",
    "varchar(10) /*M!100301 COMPRESSED*/",
)


def _line(declared: str, mapped: MappedType) -> str:
    assert mapped.spark_cast == mapped.hive
    loss = "loses" if mapped.lossy else "exact"
    return f"{declared:<60} {mapped.hive:<14} {loss}  {mapped.expression('`c`'):<46} {mapped.reason}".rstrip()


def test_the_whole_map_is_what_was_reviewed(golden: Golden) -> None:
    lines = []
    for declared in (*NO_ARGUMENTS, *DECLARED):
        mapped, refusing = map_type(declared), map_type(declared, "refuse")
        assert mapped is not None
        assert refusing is not None
        lines.append(_line(declared, mapped))
        if refusing != mapped:
            lines.append(_line(f"{declared}  [refuse]", refusing))
    golden(GOLDEN, "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "declared",
    [
        "vector(3)",
        "",
        "int(",
        "decimal(66,2)",
        "decimal(3,5)",
        "decimal(0,0)",
        "decimal(1,2,3)",
        "bit(65)",
        "bit(0)",
        "int(x)",
        "int; drop table t",
        "intx",
        "int array",
        "enum('a",
    ],
)
def test_a_type_outside_the_map_is_never_guessed(declared: str) -> None:
    assert map_type(declared) is None


@given(st.integers(1, 65), st.data(), st.sampled_from(["", " unsigned", " zerofill"]))
def test_a_decimal_keeps_its_digits_or_becomes_exact_text(
    precision: int, data: st.DataObject, suffix: str
) -> None:
    scale = data.draw(st.integers(0, min(38, precision)))
    mapped = map_type(f"DECIMAL( {precision} , {scale} ){suffix}")
    assert mapped is not None
    assert not mapped.lossy
    if precision <= 38:
        assert (mapped.hive, mapped.expression("d")) == (f"decimal({precision},{scale})", "d")
    else:
        assert (mapped.hive, mapped.expression("d")) == ("string", "CAST(d AS CHAR)")


@given(
    st.sampled_from([*NO_ARGUMENTS, *DECLARED]),
    st.lists(st.sampled_from(" \t\n"), max_size=3).map("".join),
    st.randoms(),
)
def test_case_and_white_space_do_not_matter(declared: str, blank: str, random: object) -> None:
    assert map_type(f"{blank}{declared.upper()}{blank}") == map_type(declared)
    assert map_type(declared.replace(" ", f" {blank}")) == map_type(declared)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5))
def test_the_values_of_an_enum_do_not_matter(values: list[str]) -> None:
    quoted = ",".join("'" + value.replace("'", "''") + "'" for value in values)
    mapped = map_type(f"enum({quoted})")
    assert mapped is None or mapped.hive == "string"
    assert mapped is not None or any("/*" in value for value in values)


@given(st.text(max_size=30))
def test_no_text_makes_the_map_fail(text: str) -> None:
    map_type(text)


def test_the_expression_goes_around_the_whole_of_what_was_written() -> None:
    mapped = map_type("bit(8)")
    assert mapped is not None
    assert mapped.expression("a | b") == "((a | b) + 0)"
    assert mapped.expression("'{sql} {x}'") == "(('{sql} {x}') + 0)"


def test_only_dates_can_hold_zero_dates() -> None:
    assert [kind for kind in NO_ARGUMENTS if has_zero_dates(kind)] == ["date", "datetime", "timestamp"]
    assert not has_zero_dates("vector(3)")
    assert zero_date_predicate("`d`") == "(DAYOFMONTH(`d`) = 0 OR MONTH(`d`) = 0)"


def test_every_column_without_a_type_is_named() -> None:
    plan = map_columns([("id", "int"), ("v", "vector(3)"), ("w", "xmltype")])
    assert [mapped.hive for mapped in plan.types] == ["int"]
    with pytest.raises(SourceError) as caught:
        require_types("ods.items", [("id", "int"), ("v", "vector(3)"), ("w", "xmltype")])
    assert str(caught.value) == (
        "ods.items: the source has columns of types without a Hive type\n"
        "  found    column 'v' has the type 'vector(3)', which has no Hive type in dataplat\n"
        "           column 'w' has the type 'xmltype', which has no Hive type in dataplat\n"
        "  effect   nothing was read\n"
        "  next     leave the column out of `columns`   or   "
        'read it as text: "CAST(x AS CHAR) AS x"'
    )
    assert [mapped.hive for mapped in require_types("ods.items", [("d", "date")], "refuse")] == ["date"]
