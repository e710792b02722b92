"""The gate: may a partition be made of its upstreams now? Pure.

A partition may be made only when every upstream partition that it reads is *published* and not *held*
(``trigger: all_success``), or when every one of them has *ended*, whatever the result (``trigger:
all_done``). A partition may be published although a check failed that names this downstream in ``blocks``:
then it is *blocked* for this one, and good for others. A waiver opens the gate once, and is recorded with
who, why and until when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from dataplat.specs import AnyTable

Trigger = Literal["all_success", "all_done"]


class Standing(StrEnum):
    """Where an upstream partition stands, as a downstream sees it."""

    PUBLISHED = "published"
    HELD = "held"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    FAILED = "failed"
    RUNNING = "running"
    ABSENT = "absent"
    NOT_READY = "not ready"


_ENDED = frozenset(set(Standing) - {Standing.RUNNING, Standing.ABSENT, Standing.NOT_READY})


@dataclass(frozen=True)
class Need:
    """One upstream partition that is read.

    Attributes:
        table: The upstream.
        partition: Its key.
        standing: Where it stands.
        reason: Why, in words for people: the numbers of a failed check, who holds it.
    """

    table: str
    partition: str
    standing: Standing
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.table}[{self.partition}]"


@dataclass(frozen=True)
class GateDecision:
    """Whether the gate is open, and which upstreams keep it closed."""

    open: bool
    blocked: tuple[Need, ...] = ()


def closing_checks(upstream: AnyTable, downstream: str) -> tuple[str, ...]:
    """Return the checks of an upstream that close the gate of one downstream while they fail.

    Only those that name it in ``blocks``. A check that blocks all is not among them: it keeps the partition
    from being published, which closes every gate.
    """
    return tuple(
        check.name
        for check in upstream.checks
        if check.severity == "error"
        and not isinstance(check.blocks, str)
        and downstream.lower() in {name.lower() for name in check.blocks}
    )


def decide_gate(needs: Sequence[Need], trigger: Trigger = "all_success") -> GateDecision:
    """Decide from the standing of every upstream partition. Without upstreams the gate is open.

    >>> decide_gate([Need("ods.x", "2026-01-09", Standing.REJECTED)]).open
    False
    >>> decide_gate([Need("ods.x", "2026-01-09", Standing.REJECTED)], "all_done").open
    True
    """
    good = _ENDED if trigger == "all_done" else frozenset({Standing.PUBLISHED})
    blocked = tuple(need for need in needs if need.standing not in good)
    return GateDecision(not blocked, blocked)


def standing_of(
    *, published: bool, held: bool, latest_state: str | None, rejected: bool = False, locked: bool = False
) -> Standing:
    """Return the standing of a partition from what the ledger knows of it.

    A published partition whose reload is under way, or broke, still stands as published: what is visible
    was proven. A reload that was *rejected* closes the gate all the same, because then somebody looked and
    the numbers were wrong; Dagster's own view of the failed check agrees. What broke after it says nothing
    about the numbers, so it stays closed. ``latest_state`` is the state of the version that began last,
    ``rejected`` whether the last version that was judged at all was rejected.

    >>> standing_of(published=True, held=False, latest_state="rejected")
    <Standing.REJECTED: 'rejected'>
    """
    if held and published:
        return Standing.HELD
    if latest_state == "rejected" or (published and rejected):
        return Standing.REJECTED
    if published:
        return Standing.PUBLISHED
    if locked or latest_state in ("staging", "staged", "publishing"):
        return Standing.RUNNING
    return Standing.ABSENT if latest_state is None else Standing.FAILED
