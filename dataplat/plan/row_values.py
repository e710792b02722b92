"""The values of rows that differ, as people see them: from the texts that were compared, back to values.

Texts without a limit were compared by their digest, so of them the beginning is fetched too.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dataplat.plan.checksums import AGAIN, ComparedColumn, Form, source_text, spark_text
from dataplat.plan.row_chunks import RowKind

_SHOWN = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTH_FIRST = ("text", "as printed")
_LONG = ("long text", "long bytes")

Value = str | None


@dataclass(frozen=True)
class ColumnDifference:
    """One column of one row: its name and what either side holds; NULL is ``None``."""

    column: str
    source: Value
    hive: Value


@dataclass(frozen=True)
class RowDifference:
    """One row that differs.

    Attributes:
        kind: ``lost`` is only at the source, ``extra`` only in Hive, ``changed`` on both sides.
        key: Its key; empty where a table has none.
        columns: What differs of a changed row; every column of another one where a table has no key.
    """

    kind: RowKind
    key: tuple[tuple[str, Value], ...]
    columns: tuple[ColumnDifference, ...] = ()


def source_values(columns: Sequence[ComparedColumn], sent: Sequence[str], zone: ZoneInfo) -> list[str]:
    """Return the MySQL expressions of columns' texts and of the beginnings of long ones, two a column."""
    expressions = []
    for column, sql in zip(columns, sent, strict=True):
        beginning = "NULL"
        if column.form.kind == "long text":
            text = f"CONVERT({sql} USING utf8mb4)"
            beginning = f"CONCAT(LENGTH({text}), ':', LEFT({text}, {_SHOWN}))"
        elif column.form.kind == "long bytes":
            beginning = f"CONCAT(LENGTH(({sql})), ':', HEX(LEFT(({sql}), {_SHOWN})))"
        expressions += [source_text(column.form, sql, zone), beginning]
    return expressions


def spark_values(columns: Sequence[tuple[ComparedColumn, str]], zone: ZoneInfo) -> list[str]:
    """Return the Spark expressions of the same; each column comes with its quoted name."""
    expressions = []
    for column, name in columns:
        beginning = "CAST(NULL AS STRING)"
        if column.form.kind == "long text":
            beginning = f"concat(octet_length({name}), ':', left({name}, {_SHOWN}))"
        elif column.form.kind == "long bytes":
            beginning = f"concat(octet_length({name}), ':', hex(substring({name}, 1, {_SHOWN})))"
        expressions += [spark_text(column.form, name, zone), beginning]
    return expressions


def read_value(form: Form, text: Value, beginning: Value = None) -> Value:
    """Return a value as people see it.

    >>> read_value(Form("text"), "4:a,b "), read_value(Form("timestamp"), "1767571200000000")
    ('a,b ', '2026-01-05 00:00:00')
    """
    if text is None:
        return None
    if form.kind in _LENGTH_FIRST:
        return text.partition(":")[2]
    if form.kind in _LONG and beginning is not None:
        length, _, shown = beginning.partition(":")
        shown = shown if form.kind == "long text" else f"0x{shown}"
        whole = len(shown.encode()) if form.kind == "long text" else len(shown) // 2 - 1
        return shown if int(length) == whole else f"{shown}… ({int(length):,} bytes, MD5 {text})"
    if form.kind == "bytes":
        return f"0x{text}"
    if form.kind == "double":
        return repr(struct.unpack("<d", bytes.fromhex(text))[0])
    return _wall_clock(text) if form.kind == "timestamp" else text


def quoted(value: Value) -> str:
    """Return a text in quotes, on one line; NULL without.

    >>> quoted("a "), quoted(None), quoted("NULL")
    ('"a "', 'NULL', '"NULL"')
    """
    return "NULL" if value is None else json.dumps(value, ensure_ascii=False)


def _wall_clock(text: str) -> str:
    micros, again = text.removesuffix(AGAIN), text.endswith(AGAIN)
    try:
        shown = (_EPOCH + timedelta(microseconds=int(micros))).replace(tzinfo=None).isoformat(sep=" ")
    except OverflowError:  # a year that Python does not have
        shown = f"{micros} microseconds"
    return f"{shown} (second time)" if again else shown
