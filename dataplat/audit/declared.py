"""The checks that a table declares, evaluated on the staged version before it is visible.

Every check states the aggregates that it needs; all of them are computed in one pass. What needs no
data (``min_rows``, ``volume``) costs nothing. A check that has nothing to compare with passes and says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dataplat.audit.outcome import Outcome
from dataplat.plan.ddl import quote_identifier
from dataplat.specs import CheckSpec, MinRowsCheck, NotNullCheck, TableSpec, UniqueCheck, VolumeCheck

Values = tuple[tuple[str, str], ...]
Aggregate = Callable[[Sequence[str]], Mapping[tuple[str, ...], tuple[int, ...]]]
History = Callable[[str, int], Sequence[int]]


@dataclass(frozen=True)
class StagedPartition:
    """A partition as the checks see it: its values in Hive and the rows in its files."""

    key: str
    values: Values
    rows: int


def evaluate_checks(
    spec: TableSpec, partitions: Sequence[StagedPartition], aggregate: Aggregate, history: History
) -> dict[str, list[Outcome]]:
    """Evaluate every declared check for every partition.

    Args:
        spec: The table.
        partitions: What was staged.
        aggregate: Evaluates SQL aggregates over the staged rows, by partition values, in one pass. It
            is called at most once, and not at all when there is nothing to aggregate.
        history: Rows of the last published partitions before a key, newest first: ``(key, how many)``.

    Returns:
        The outcomes of each partition, by key, in the order of declaration.
    """
    expressions = [text for check in spec.checks for text in _expressions(check)]
    has_rows = any(partition.rows for partition in partitions)
    values = aggregate(expressions) if expressions and has_rows else {}
    outcomes: dict[str, list[Outcome]] = {}
    for partition in partitions:
        zeros = (0,) * len(expressions)
        found = list(values.get(tuple(value for _, value in partition.values), zeros))
        outcomes[partition.key] = []
        for check in spec.checks:
            mine = [found.pop(0) for _ in _expressions(check)]
            outcomes[partition.key].append(_outcome(spec, check, partition, mine, history))
    return outcomes


def _expressions(check: CheckSpec) -> list[str]:
    if isinstance(check, NotNullCheck):
        return [f"count_if({quote_identifier(column)} IS NULL)" for column in check.columns]
    if isinstance(check, UniqueCheck):
        names = ", ".join(quote_identifier(column) for column in check.columns)
        return [f"count(*) - count(DISTINCT struct({names}))"]
    return []


def _outcome(
    spec: TableSpec, check: CheckSpec, partition: StagedPartition, found: Sequence[int], history: History
) -> Outcome:
    if isinstance(check, NotNullCheck):
        nulls = dict(zip(check.columns, found, strict=True))
        bad = {column: count for column, count in nulls.items() if count}
        message = ", ".join(f"{column} is NULL in {count:,} rows" for column, count in bad.items())
        return _made(spec, check, not bad, {f"null_{column}": n for column, n in nulls.items()}, message)
    if isinstance(check, UniqueCheck):
        message = f"{found[0]:,} rows repeat {', '.join(check.columns)}" if found[0] else ""
        return _made(spec, check, found[0] == 0, {"duplicates": found[0]}, message)
    if isinstance(check, MinRowsCheck):
        passed = partition.rows >= check.rows
        message = "" if passed else f"expected at least {check.rows:,} rows, found {partition.rows:,}"
        return _made(spec, check, passed, {"rows": partition.rows, "at_least": check.rows}, message)
    if isinstance(check, VolumeCheck):
        return _volume(spec, check, partition, history(partition.key, check.against))
    raise TypeError(f"no evaluation for check kind {check.kind!r}")


def _volume(
    spec: TableSpec, check: VolumeCheck, partition: StagedPartition, before: Sequence[int]
) -> Outcome:
    if not before:
        return _made(spec, check, True, {"rows": partition.rows}, "no earlier partition to compare with")
    usual = sum(before) / len(before)
    low = 0.0 if check.drop is None else usual * (1 - check.drop)
    high = None if check.rise is None else usual * (1 + check.rise)
    passed = low <= partition.rows and (high is None or partition.rows <= high)
    numbers: dict[str, int | float | str] = {
        "rows": partition.rows,
        "usual": round(usual, 1),
        "compared": len(before),
    }
    band = f"{low:,.0f} to {high:,.0f}" if high is not None else f"at least {low:,.0f}"
    message = f"expected {band} rows (average of {len(before)}: {usual:,.0f}), found {partition.rows:,}"
    return _made(spec, check, passed, numbers, "" if passed else message)


def _made(
    spec: TableSpec,
    check: CheckSpec,
    passed: bool,
    numbers: Mapping[str, int | float | str],
    message: str,
) -> Outcome:
    return Outcome(check.name, passed, check.severity, numbers, message, spec.check_at(check.name))
