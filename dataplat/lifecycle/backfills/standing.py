"""How far a backfill is, as the ledger knows it, and whether it may still be carried out as planned.

There is no file of a backfill's progress to be lost or out of date: a partition is done when what is visible
of it was begun after the plan was made, and after everything of the plan that it reads had become visible.
That is true whoever made it, and after any crash.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dataplat.errors import PlanChangedError
from dataplat.ledger import Ledger
from dataplat.lifecycle.backfills.planning import table_shas
from dataplat.plan.backfills.document import BackfillPlan
from dataplat.plan.backfills.runs import Place, waits_for
from dataplat.plan.models.graph import ModelGraph
from dataplat.specs import Catalog


def done_places(catalog: Catalog, graph: ModelGraph, ledger: Ledger, plan: BackfillPlan) -> set[Place]:
    """Return the partitions of a plan that were made since it was planned."""
    reads = waits_for(catalog, graph, plan.partitions, whole=False)
    done: dict[Place, datetime] = {}
    for table, keys in plan.partitions.items():
        for key, version in ledger.visible(table, keys).items():
            assert version.created_at is not None
            assert version.changed_at is not None
            begun = version.created_at
            if begun >= plan.created and all(
                place in done and done[place] <= begun for place in reads[table, key]
            ):
                done[table, key] = version.changed_at
    return set(done)


def require_as_planned(catalog: Catalog, graph: ModelGraph, plan: BackfillPlan, *, accept: bool) -> None:
    """Return if the configuration is the one that was planned with; with ``accept``, others are good too.

    Raises:
        PlanChangedError: It is not; names every table. Nothing was run.
    """
    gone = _gone(catalog, plan)
    if gone:
        raise _changed(plan, "the plan fits the configuration no more", gone, accept=False)
    now = table_shas(catalog, graph, plan.tables)
    facts = [
        (table, f"{planned.config} when planned, {now[table]} now ({catalog.any_table(table).declared.at()})")
        for table, planned in plan.tables.items()
        if now[table] != planned.config
    ]
    if facts and not accept:
        count = f"{len(facts)} table{'s' if len(facts) > 1 else ''}"
        raise _changed(
            plan, f"the configuration of {count} has changed since it was planned", facts, accept=True
        )


def _gone(catalog: Catalog, plan: BackfillPlan) -> list[tuple[str, str]]:
    facts = []
    if plan.timezone != catalog.platform.timezone:
        facts.append(("timezone", f"{plan.timezone} when planned, {catalog.platform.timezone} now"))
    for table, planned in plan.tables.items():
        spec = catalog.all_tables.get(table)
        if spec is None:
            facts.append((table, "is no longer declared"))
        elif spec.window.grain != planned.grain:
            change = f"{planned.grain} partitions when planned, {spec.window.grain} partitions now"
            facts.append((table, change))
    return facts


def _changed(
    plan: BackfillPlan, problem: str, facts: Sequence[tuple[str, str]], *, accept: bool
) -> PlanChangedError:
    steps = [f"dataplat backfill plan --select '{plan.select}' --from {plan.first} --to {plan.last} -o …"]
    if accept:
        steps.append("the same command with --accept-changes")
    return PlanChangedError(
        f"backfill {plan.id}", problem, facts=facts, effect="nothing was run", next_steps=steps
    )


def still_there(ledger: Ledger, table: str, runs: Mapping[str, str]) -> dict[str, str]:
    """Return which partitions show what their run made, and why those do not that a run rejected.

    Args:
        ledger: Where it is recorded.
        table: The table.
        runs: The run that was to make each partition.

    Returns:
        By partition, empty text for one that was published, a reason for one that was rejected; the others
        are absent: their run did not come to judge them.
    """
    found: dict[str, str] = {}
    for key, status in ledger.statuses(table, list(runs)).items():
        if status.published is not None and status.published.run_id == runs[key]:
            found[key] = ""
        elif status.latest is not None and status.latest.run_id == runs[key] and status.rejected is not None:
            found[key] = status.rejected.reason
    return found
