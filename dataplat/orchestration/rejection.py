"""The message of a rejected partition: what was expected, what was found, what to do."""

from collections.abc import Sequence

from dataplat.audit.outcome import ROW_COUNT, SHARDS, Outcome
from dataplat.errors import AuditFailedError
from dataplat.lifecycle.report import PartitionReport
from dataplat.specs import AnyTable


def rejection_error(spec: AnyTable, rejected: Sequence[PartitionReport]) -> AuditFailedError:
    """Return the error for partitions whose audit failed; the first is told in full."""
    first = rejected[0]
    failures = first.failures
    names = ", ".join(dict.fromkeys(failure.check for failure in failures))
    facts: list[tuple[str, str]] = []
    for failure in failures:
        facts += _facts(spec, failure)
    if len(rejected) > 1:
        facts.append(("also", ", ".join(item.partition for item in rejected[1:])))
    subject = f"{spec.table}[{first.partition}]"
    return AuditFailedError(
        subject,
        f"check failed: {names}",
        facts=facts,
        effect=_effect(first),
        next_steps=[
            _look_first(spec, first),
            f"dataplat load {spec.table} --date {first.partition}",
        ],
    )


def _look_first(spec: AnyTable, report: PartitionReport) -> str:
    if any(failure.check == SHARDS for failure in report.failures):
        return f"dataplat shards {spec.table} --at {report.partition}"
    return f"dataplat ledger {spec.table} {report.partition}"


def _facts(spec: AnyTable, failure: Outcome) -> list[tuple[str, str]]:
    declared = failure.declared or spec.declared.at("table")
    if failure.check != ROW_COUNT:
        return [(failure.check, f"{failure.message} ({declared})")]
    numbers = failure.numbers
    before, after = numbers["source_before"], numbers["source_after"]
    source = f"{before:,} rows" if before == after else f"{before:,} rows before, {after:,} after the read"
    facts = [("source", source), ("files", f"{numbers['rows']:,} rows")]
    for label in ("missing", "extra"):
        if label in numbers:
            facts.append((label, f"{numbers[label]:,}, allowed 0 ({declared})"))
    return facts


def _effect(report: PartitionReport) -> str:
    stays = (
        f"version {report.visible_version} stays visible"
        if report.visible_version
        else "the partition was never published and stays absent"
    )
    return f"nothing was published: {stays}, downstream is held"
