"""The gates in a backfill: which partitions of a model will be held, or are."""

from collections.abc import Iterable, Mapping, Sequence

from dataplat.ledger import Ledger, PartitionStatus
from dataplat.lifecycle.gate import find_needs, look_at_gate
from dataplat.plan.backfills.runs import Place
from dataplat.plan.gate import Need, Standing, decide_gate
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.needed import awaited_arrivals, closing_of, needed_partitions
from dataplat.specs import AnyTable, Catalog, ModelSpec

_NOT_MADE = "not made again by this backfill"


def closed_gates(
    catalog: Catalog,
    graph: ModelGraph,
    ledger: Ledger,
    spec: AnyTable,
    keys: Sequence[str],
    made: Mapping[Place, bool],
    *,
    forecast: bool,
) -> dict[str, str]:
    """Return what closes the gate of partitions, in words; those whose gate is open are absent.

    A partition that was to be made again and was not closes the gate also where its older version is visible:
    the backfill was meant to replace it. A waiver opens the gate, as it does for a load.

    Args:
        catalog: Where the tables are declared.
        graph: What the models read.
        ledger: Where standings are recorded.
        spec: A table; a loaded one has no gate.
        keys: Its partitions.
        made: The partitions of the backfill that come before, and whether each was made.
        forecast: Whether ``made`` is what will be, so that the ledger does not know it yet.
    """
    if not isinstance(spec, ModelSpec):
        return {}
    needed = {key: needed_partitions(catalog, graph, spec, key) for key in keys}
    known = _Known(ledger, needed.values())
    closing = closing_of(catalog, graph, spec)
    waived = {waiver.partition for waiver in ledger.waivers(spec.table, keys)}
    closed: dict[str, str] = {}
    for key, upstreams in needed.items():
        awaited = awaited_arrivals(catalog, graph, spec, key)
        outside, inside = _parted(upstreams, made)
        blocked = list(look_at_gate(known, outside, closing, spec.trigger, awaited).blocked)
        needs = [
            _as_made(need, made[need.table, need.partition], known, forecast=forecast)
            for table, some in inside.items()
            for need in find_needs(known, table, some, closing.get(table, ()))
        ]
        blocked += decide_gate(needs, spec.trigger).blocked
        if blocked and key not in waived:
            closed[key] = _in_words(blocked)
    return closed


def _parted(
    upstreams: Mapping[str, Sequence[str]], made: Mapping[Place, bool]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return what is no part of the backfill, and what is."""
    outside: dict[str, list[str]] = {}
    inside: dict[str, list[str]] = {}
    for table, keys in upstreams.items():
        for key in keys:
            (inside if (table, key) in made else outside).setdefault(table, []).append(key)
    return outside, inside


def _as_made(need: Need, was_made: bool, known: "_Known", *, forecast: bool) -> Need:
    """Return where a partition of the backfill stands once its turn is over."""
    if not was_made:
        return Need(need.table, need.partition, Standing.FAILED, _NOT_MADE)
    if not forecast or known.is_held_by_a_person(need):
        return need
    return Need(need.table, need.partition, Standing.PUBLISHED)


def _in_words(blocked: Sequence[Need]) -> str:
    first = blocked[0]
    text = ": ".join(filter(None, [str(first), first.standing, first.reason]))
    return f"{text} (and {len(blocked) - 1} more)" if len(blocked) > 1 else text


class _Known:
    """The ledger, asked once about all that some partitions read. See ``lifecycle.gate.Standings``."""

    def __init__(self, ledger: Ledger, needed: Iterable[Mapping[str, Sequence[str]]]) -> None:
        asked: dict[str, set[str]] = {}
        for upstreams in needed:
            for table, keys in upstreams.items():
                asked.setdefault(table, set()).update(keys)
        self._statuses = ledger.statuses_of({table: sorted(keys) for table, keys in asked.items()})
        self.failures = ledger.failures
        self.arrivals = ledger.arrivals

    def statuses(self, table: str, keys: Sequence[str], /) -> dict[str, PartitionStatus]:
        """Return what was found."""
        return {key: self._statuses[table][key] for key in keys}

    def is_held_by_a_person(self, need: Need) -> bool:
        """Say whether a hold stays whatever is loaded."""
        return any(not hold.check for hold in self._statuses[need.table][need.partition].holds)
