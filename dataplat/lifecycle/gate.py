"""The gate before a model: the ledger is asked about every upstream partition, whoever launched the run.

This is the third of three: Dagster's own status holds backfills, the automation condition holds sensors,
and this holds everything else, such as a run that somebody launched by hand.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from dataplat.errors import GateClosedError
from dataplat.ledger import Arrival, CheckResult, Ledger, PartitionStatus, VersionState, Waiver
from dataplat.lifecycle.holds import describe_holds
from dataplat.plan.gate import GateDecision, Need, Standing, Trigger, decide_gate, standing_of

if TYPE_CHECKING:  # it brings Spark along, and whoever only looks at gates needs none
    from dataplat.lifecycle.stations import RunInfo

_SHOWN = 5
_NOBODY = "nobody has asked yet"


def pass_gate(
    ledger: Ledger,
    table: str,
    key: str,
    upstreams: Mapping[str, Sequence[str]],
    closing: Mapping[str, Collection[str]],
    trigger: Trigger,
    run: "RunInfo",
    awaited: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Waiver | None:
    """Return when a partition may be made; the waiver that let it pass, if one was needed.

    Args:
        ledger: Where standings and waivers are recorded.
        table: The model.
        key: Its partition.
        upstreams: Partitions that it reads, by table. External tables are not among them.
        closing: Checks of an upstream that close the gate of this model while they fail, by table.
        trigger: Of the model.
        run: Who asks; recorded with a waiver that is used up.
        awaited: Partitions of external tables that a probe must have found ready, by table.

    Raises:
        GateClosedError: An upstream partition is not proven, and nobody waived. Nothing was read.
    """
    decision = look_at_gate(ledger, upstreams, closing, trigger, awaited)
    if decision.open:
        return None
    by = f"{run.actor} {run.run_id}".strip()
    waiver = ledger.use_waiver(table, key, by)
    if waiver is not None:
        return waiver
    raise _closed(table, key, decision.blocked, trigger)


class Standings(Protocol):
    """What a gate asks: the ledger, or somebody who has asked it."""

    def statuses(self, table: str, keys: Sequence[str], /) -> Mapping[str, PartitionStatus]:
        """Return what is visible, begun last and held, for each partition."""

    def failures(
        self, table: str, versions: Mapping[str, str], checks: Collection[str], /
    ) -> Mapping[str, tuple[CheckResult, ...]]:
        """Return the results of some checks that failed last, by partition."""

    def arrivals(self, table: str, keys: Sequence[str], /) -> Mapping[str, Arrival]:
        """Return what is known of an external table's partitions."""


def look_at_gate(
    ledger: Standings,
    upstreams: Mapping[str, Sequence[str]],
    closing: Mapping[str, Collection[str]],
    trigger: Trigger,
    awaited: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> GateDecision:
    """Return whether a gate is open without a waiver. As ``pass_gate``, and uses nothing up."""
    needs = [
        need
        for upstream, keys in upstreams.items()
        for need in find_needs(ledger, upstream, keys, closing.get(upstream, ()))
    ]
    needs += [need for table, keys in awaited.items() for need in _arrivals(ledger, table, keys)]
    return decide_gate(needs, trigger)


def _arrivals(ledger: Standings, table: str, keys: Sequence[str]) -> Iterator[Need]:
    known = ledger.arrivals(table, keys)
    for key in keys:
        found = known.get(key)
        if found is not None and found.ready:
            yield Need(table, key, Standing.PUBLISHED)
        else:
            yield Need(table, key, Standing.NOT_READY, found.evidence if found else _NOBODY)


def find_needs(ledger: Standings, table: str, keys: Sequence[str], closing: Collection[str]) -> list[Need]:
    """Return where each partition of an upstream stands, as one downstream sees it.

    Args:
        ledger: Where it is recorded.
        table: The upstream.
        keys: Its partitions.
        closing: Its checks that close the gate of this downstream while they fail.
    """
    statuses = ledger.statuses(table, keys)
    needs = {key: _need(statuses[key]) for key in keys}
    good = [key for key, need in needs.items() if need.standing is Standing.PUBLISHED]
    visible = {key: row.version for key in good if (row := statuses[key].published)}
    for key, failed in ledger.failures(table, visible, closing).items():
        reason = "; ".join(f"check {result.check}: {result.message}" for result in failed)
        needs[key] = Need(table, key, Standing.BLOCKED, reason)
    return list(needs.values())


def _need(status: PartitionStatus) -> Need:
    latest = status.latest
    standing = standing_of(
        published=status.published is not None,
        held=bool(status.holds),
        latest_state=latest.state.value if latest else None,
        rejected=status.rejected is not None,
    )
    reason = ""
    if standing is Standing.HELD:
        reason = describe_holds(status.holds)
    elif standing is Standing.REJECTED and status.rejected is not None:
        reason = status.rejected.reason
    elif latest is not None and latest.state in (VersionState.REJECTED, VersionState.ABANDONED):
        reason = latest.reason
    elif latest is None:
        reason = "never loaded"
    return Need(status.table, status.partition, standing, reason)


def _closed(table: str, key: str, blocked: Sequence[Need], trigger: Trigger) -> GateClosedError:
    facts = [(str(need), ": ".join(filter(None, [need.standing, need.reason]))) for need in blocked[:_SHOWN]]
    if len(blocked) > _SHOWN:
        facts.append(("and", f"{len(blocked) - _SHOWN} more"))
    first = blocked[0]
    wanted = "every upstream published" if trigger == "all_success" else "every upstream ended"
    return GateClosedError(
        f"{table}[{key}]",
        f"the gate is closed by {len(blocked)} upstream partition{'s' if len(blocked) > 1 else ''}",
        facts=[("expected", wanted), *facts],
        effect="nothing was read; what was visible before is still visible",
        next_steps=[
            *_remedies(first),
            f"dataplat waive {table} {key} --reason … --until …",
        ],
    )


def _remedies(first: Need) -> list[str]:
    """Return what finds out more about the first that is in the way: whoever says when it may be read."""
    if first.standing is not Standing.NOT_READY:
        return [f"dataplat ledger {first.table} {first.partition}"]
    ready, audit = f"dataplat ready --date {first.partition}", "dataplat audit run"
    if first.reason.startswith("audit:"):
        return [audit]
    return [ready, audit] if first.reason == _NOBODY else [ready]
