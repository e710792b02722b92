"""A few offending rows of each failure: keys, so that people can look at them, and never sensitive values.

Masking happens in the query. Samples of all failures are one query for every ``BATCH`` of them, and only the
first ``PARTITIONS`` partitions in which a check failed have one: a month of failures has one cause.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dataplat.audit.kinds import Case, Kind
from dataplat.plan.ddl import quote_identifier, quote_literal

ROWS = 5
PARTITIONS = 10
BATCH = 20
MASK = "***"
_LONGEST = 60

Sample = tuple[Mapping[str, str], ...]


class Engine(Protocol):
    """What samples need of the staged rows: see ``audit.declared.StagedRows``."""

    def ask(self, query: str, subject: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    def columns(self, query: str, subject: str) -> tuple[str, ...]:
        """Return the names of a query's columns, without running it."""


def sample_failures(failed: Sequence[tuple[Kind[Any], Case]], rows: Engine) -> dict[tuple[str, str], Sample]:
    """Return what to show of each failure, by name of the check and key of the partition."""
    selects: list[tuple[tuple[str, str], tuple[str, ...], str]] = []
    sampled: Counter[str] = Counter()
    for kind, case in failed:
        name = kind.check.name
        sampled[name] += 1
        if sampled[name] <= PARTITIONS and (made := _select(kind, case, rows)):
            selects.append(((name, case.partition.key), *made))
    found: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for start in range(0, len(selects), BATCH):
        batch = selects[start : start + BATCH]
        query = "\nUNION ALL\n".join(
            f"SELECT {number} AS failure, shown FROM {select}" for number, (_, _, select) in enumerate(batch)
        )
        for number, values in rows.ask(query, f"{failed[0][0].spec.table}: a sample of the rows that failed"):
            place, columns, _ = batch[number]
            shown = dict(zip(columns, map(_shown, values), strict=True))
            if shown not in found.setdefault(place, []):
                found[place].append(shown)
    return {place: tuple(sample) for place, sample in found.items()}


def with_sample(message: str, sample: Sample) -> str:
    """Return a message with its sample: ``… (id=7; id=9)``."""
    if not sample:
        return message
    texts = [", ".join(f"{column}={value}" for column, value in row.items()) for row in sample]
    return f"{message} ({'; '.join(texts)})"


def _select(kind: Kind[Any], case: Case, rows: Engine) -> tuple[tuple[str, ...], str] | None:
    offenders = kind.offenders(case)
    if offenders is None:
        return None
    columns = offenders.columns
    if columns is None:
        there = {name.lower() for name in rows.columns(f"SELECT * FROM {offenders.rows}", kind.subject)}
        columns = tuple(name for name in kind.spec.key if name.lower() in there)
    if not columns:
        return None
    masked = {name.lower() for name in kind.spec.sensitive}
    visible = [quote_identifier(name) for name in columns if name.lower() not in masked]
    order = f" ORDER BY {', '.join(visible)}" if visible else ""
    values = ", ".join(_value(name, name.lower() in masked) for name in columns)
    return columns, f"(SELECT array({values}) AS shown FROM {offenders.rows}{order} LIMIT {ROWS})"


def _value(name: str, masked: bool) -> str:
    return quote_literal(MASK) if masked else f"CAST({quote_identifier(name)} AS STRING)"


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    text = "".join(char if char.isprintable() else " " for char in value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
