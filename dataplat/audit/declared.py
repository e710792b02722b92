"""The checks that a table declares, evaluated on the staged version before it is visible.

All aggregates of all checks and partitions are one pass over the rows. What one aggregation cannot say is a
query for each check, about up to ``BATCH`` partitions at once. Only when something failed are rows looked at
again, for a sample of keys. Nothing leaves the engine but numbers and that sample, in which sensitive values
are masked before they leave it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dataplat.audit.kinds import Case, Finding, Kind, Past, Published, StagedPartition, Value, kind_of
from dataplat.audit.outcome import Outcome
from dataplat.audit.samples import Sample, sample_failures, with_sample
from dataplat.audit.trail import Trail
from dataplat.plan.ddl import quote_identifier, quote_literal
from dataplat.specs import AnyTable

BATCH = 50


class StagedRows(Protocol):
    """The rows of a staged version, as an engine answers for them."""

    @property
    def name(self) -> str:
        """What the rows are called in SQL, with the partition columns among theirs."""

    def aggregate(self, expressions: Sequence[str]) -> Mapping[tuple[str, ...], Sequence[Value]]:
        """Return aggregates by partition values, in one pass. A partition without rows is absent."""

    def ask(self, query: str, subject: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; ``subject`` opens the message if it fails."""

    def columns(self, query: str, subject: str) -> tuple[str, ...]:
        """Return the names of a query's columns, without running it."""


class Records(Protocol):
    """What is known beside the staged rows."""

    def past(self, key: str, count: int, same_weekday: bool) -> Sequence[Past]:
        """Return the last published partitions before a key, newest first.

        With ``same_weekday`` those of the same day and hour of the week, of the last ``count`` weeks; a
        week without one is left out.
        """

    def published(self, table: str, key: str) -> Published:
        """Return another table at the time of one partition of this table."""


def evaluate_checks(
    spec: AnyTable, partitions: Sequence[StagedPartition], rows: StagedRows, records: Records
) -> dict[str, list[Outcome]]:
    """Evaluate every declared check for every partition.

    Args:
        spec: The table.
        partitions: What was staged.
        rows: Is asked as little as possible: not at all when no check needs it.
        records: Earlier partitions and other tables.

    Returns:
        The outcomes of each partition, by key, in the order of declaration.

    Raises:
        SpecError: The SQL of a check cannot be filled in.
        EngineError: Spark refused a check. Nothing was published.
    """
    kinds = [kind_of(check, spec) for check in spec.checks]
    trail = Trail(records)
    ordered = sorted(partitions, key=lambda partition: partition.key)
    cases = {one.key: _case(one, rows.name, records, trail) for one in ordered}
    values = _aggregates(kinds, cases, rows)
    for index, kind in enumerate(kinds):
        for key, answers in _answers(kind, cases, rows).items():
            values[key, index] = [*values[key, index], *answers]
    findings = _judged(kinds, cases, values, trail)
    failed = [(kinds[index], cases[key]) for (key, index), one in findings.items() if not one.passed]
    samples = sample_failures(failed, rows)
    return {
        partition.key: [
            _outcome(kind, findings[partition.key, index], samples.get((kind.check.name, partition.key), ()))
            for index, kind in enumerate(kinds)
        ]
        for partition in partitions
    }


def _judged(
    kinds: Sequence[Kind[Any]],
    cases: Mapping[str, Case],
    values: Mapping[tuple[str, int], Sequence[Value]],
    trail: Trail,
) -> dict[tuple[str, int], Finding]:
    findings: dict[tuple[str, int], Finding] = {}
    for key, case in cases.items():
        for index, kind in enumerate(kinds):
            findings[key, index] = kind.judge(case, values[key, index])
        trail.add(case.partition, [(kind.check, findings[key, index]) for index, kind in enumerate(kinds)])
    return findings


def _case(partition: StagedPartition, name: str, records: Records, trail: Trail) -> Case:
    conditions = [f"{quote_identifier(name)} = {quote_literal(value)}" for name, value in partition.values]
    known: dict[str, Published] = {}

    def published(table: str) -> Published:
        if table not in known:
            known[table] = records.published(table, partition.key)
        return known[table]

    return Case(
        partition=partition,
        staged=f"(SELECT * FROM {name} WHERE {' AND '.join(conditions)})",
        past=lambda count, same_weekday: trail.past(partition.key, partition.starts, count, same_weekday),
        published=published,
    )


def _aggregates(
    kinds: Sequence[Kind[Any]], cases: Mapping[str, Case], rows: StagedRows
) -> dict[tuple[str, int], list[Value]]:
    wanted = {
        (key, index): kind.aggregates(case) for key, case in cases.items() for index, kind in enumerate(kinds)
    }
    texts = list(dict.fromkeys(one.sql for some in wanted.values() for one in some))
    has_rows = any(case.partition.rows for case in cases.values())
    found = rows.aggregate(texts) if texts and has_rows else {}
    values: dict[tuple[str, int], list[Value]] = {}
    for (key, index), some in wanted.items():
        mine = found.get(tuple(value for _, value in cases[key].partition.values))
        values[key, index] = [mine[texts.index(one.sql)] if mine else one.empty for one in some]
    return values


def _answers(kind: Kind[Any], cases: Mapping[str, Case], rows: StagedRows) -> dict[str, Sequence[Value]]:
    asked = [(key, question) for key, case in cases.items() if (question := kind.question(case))]
    answers: dict[str, Sequence[Value]] = {}
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        selects = []
        for number, (_, question) in enumerate(batch):
            casts = ", ".join(f"CAST({value} AS DOUBLE)" for value in question.values)
            selects.append(f"SELECT {number}, {casts} FROM {question.rows}")
        for row in rows.ask("\nUNION ALL\n".join(selects), kind.subject):
            answers[batch[row[0]][0]] = row[1:]
    return answers


def _outcome(kind: Kind[Any], finding: Finding, sample: Sample) -> Outcome:
    check = kind.check
    return Outcome(
        check.name,
        finding.passed,
        check.severity,
        finding.numbers,
        with_sample(finding.message, sample),
        kind.spec.check_at(check.name),
        check.blocks,
        sample,
    )
