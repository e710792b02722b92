"""Paths as Hive escapes them."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.hive_paths import hive_escape, hive_path


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("2026-01-09", "2026-01-09"),
        ("05:00", "05%3A00"),
        ("2026/01/09", "2026%2F01%2F09"),
        ("100%", "100%25"),
        ("a=b?c#d*e", "a%3Db%3Fc%23d%2Ae"),
        ("[x]{y}^z", "%5Bx%5D%7By}%5Ez"),
        ('it\'s "q" \\', "it%27s %22q%22 %5C"),
        ("tab\tline\n\x01\x7f", "tab%09line%0A%01%7F"),
        ("北京 a+b&c,d;e~f", "北京 a+b&c,d;e~f"),
    ],
)
def test_the_characters_that_hive_escapes_and_no_others(value: str, escaped: str) -> None:
    assert hive_escape(value) == escaped


def test_an_empty_value_is_hives_default_partition() -> None:
    assert hive_path([("ds", ""), ("hr", "05")]) == "ds=__HIVE_DEFAULT_PARTITION__/hr=05"


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_an_escaped_value_is_one_path_segment_and_can_be_read_back(value: str) -> None:
    escaped = hive_escape(value)
    assert "/" not in escaped
    assert "=" not in escaped
    assert unquote(escaped) == value
