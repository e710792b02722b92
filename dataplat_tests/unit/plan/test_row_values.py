"""From the texts that were compared back to the values that people know."""

import struct

import pytest

from dataplat.plan.checksums import Form
from dataplat.plan.row_values import read_value

VALUES = [
    ("integer", "-5", None, "-5"),
    ("text", "5: a:b ", None, " a:b "),
    ("text", "0:", None, ""),
    ("as printed", "1:7", None, "7"),
    ("bytes", "00FF", None, "0x00FF"),
    ("bytes", "", None, "0x"),
    ("double", struct.pack("<d", 0.1).hex().upper(), None, "0.1"),
    ("timestamp", "-500000", None, "1969-12-31 23:59:59.500000"),
    ("timestamp", "0+", None, "1970-01-01 00:00:00 (second time)"),
    ("timestamp", "99999999999999999999", None, "99999999999999999999 microseconds"),
    ("long text", "d41d", "3:长", "长"),
    ("long text", "d41d", "300001:长", "长… (300,001 bytes, MD5 d41d)"),
    ("long bytes", "d41d", "2:00FF", "0x00FF"),
    ("long bytes", "d41d", "1000:00FF", "0x00FF… (1,000 bytes, MD5 d41d)"),
]


@pytest.mark.parametrize(("kind", "text", "beginning", "value"), VALUES)
def test_a_text_becomes_the_value_again(kind: str, text: str, beginning: str | None, value: str) -> None:
    assert read_value(Form(kind), text, beginning) == value  # type: ignore[arg-type]
    assert read_value(Form(kind), None) is None  # type: ignore[arg-type]
