"""``plan.json``: a backfill as it was planned, for people to review and for ``apply`` to carry out exactly.

One key a line, in an order that does not change, every partition written out: two plans of one backfill
differ in the lines that differ. Its progress is not in it; that is in the ledger and in Dagster's runs.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from dataplat.errors import SelectionError
from dataplat.plan.grains import Grain
from dataplat.specs.base import Spec

VERSION: Literal[1] = 1


class PlannedTable(Spec):
    """A table of a backfill: how its configuration was, and how its partitions stood."""

    grain: Grain = Field(description="How much time one partition holds.")
    config: str = Field(description="Hash of what decides its content; another one refuses the plan.")
    partitions: int = Field(description="How many are made.")
    absent: int = Field(description="Of them, those that were not published.")
    outdated: int = Field(description="Those that were published with another configuration.")
    unchanged: int = Field(description="Those that were published with this one.")


class PlannedRun(Spec):
    """One run: neighbouring partitions of one table."""

    run: int = Field(description="Its number, from 1; those before it are planned to begin first.")
    table: str = Field(description="The table.")
    partitions: tuple[str, ...] = Field(description="In order of time.")
    rows: int | None = Field(description="Estimated; null where the table has no history.")
    seconds: float | None = Field(description="Estimated; null where the table has no history.")


class SourceLoad(Spec):
    """What one source instance is asked."""

    reads: int = Field(description="How many times rows are read.")
    queries_at_least: int = Field(description="Queries that this takes, counts included.")
    rows: int | None = Field(description="Estimated; null where one of its tables has no history.")
    loads_at_once: int = Field(description="How many loads its budget allows at once.")


class HeldPartition(Spec):
    """A partition whose gate will be closed, as things were when the plan was made."""

    table: str = Field(description="The table.")
    partition: str = Field(description="Its key.")
    reason: str = Field(description="What closes the gate.")


class NamedPartitions(Spec):
    """Partitions that are not in the plan, and why they are named."""

    table: str = Field(description="The table.")
    partitions: tuple[str, ...] = Field(description="Their keys.")
    reason: str = Field(description="Why.")


class BackfillPlan(Spec):
    """A backfill. Made by ``dataplat backfill plan``; ``id`` depends on everything else in it."""

    version: Literal[1] = Field(VERSION, description="Of this format.")
    id: str = Field("", description="Tag of all its runs: dataplat/backfill.")
    created: AwareDatetime = Field(description="When it was made; what is published later counts as done.")
    timezone: str = Field(description="Where a business day begins.")
    select: str = Field(description="As it was typed.")
    first: str = Field(alias="from", description="As it was typed; included.")
    last: str = Field(alias="to", description="As it was typed; included.")
    tables: Mapping[str, PlannedTable] = Field(description="By name, upstreams first.")
    runs: tuple[PlannedRun, ...] = Field(description="In an order in which they can be made.")
    sources: Mapping[str, SourceLoad] = Field(description="What each source instance is asked.")
    held: tuple[HeldPartition, ...] = Field(description="What a gate will hold.")
    left_out: tuple[NamedPartitions, ...] = Field(description="Meant by the selection, and cannot be made.")
    outside: tuple[NamedPartitions, ...] = Field(description="Read what is made again, and are not in it.")
    unfollowed: tuple[str, ...] = Field(description="Readers of latest or all partitions, in words.")

    @property
    def partitions(self) -> dict[str, tuple[str, ...]]:
        """Every partition by table, upstreams first, in order of time."""
        found: dict[str, list[str]] = {table: [] for table in self.tables}
        for run in self.runs:
            found[run.table] += run.partitions
        return {table: tuple(keys) for table, keys in found.items()}

    @property
    def count(self) -> int:
        """How many partitions are made."""
        return sum(len(run.partitions) for run in self.runs)


def named(plan: BackfillPlan) -> BackfillPlan:
    """Return the plan with its id: the time it was made, and a hash of what is in it."""
    content = json.dumps(_document(plan.model_copy(update={"id": ""})), sort_keys=True)
    token = hashlib.sha256(content.encode()).hexdigest()[:6]
    return plan.model_copy(update={"id": f"{plan.created:%Y%m%dT%H%M%S}-{token}"})


def render_plan(plan: BackfillPlan) -> str:
    """Return the text of ``plan.json``."""
    return json.dumps(_document(plan), ensure_ascii=False, indent=2) + "\n"


def parse_plan(text: str, file: str) -> BackfillPlan:
    """Return the plan that a file holds.

    Raises:
        SelectionError: It holds none, one of another version, or one that was edited by hand.
    """
    try:
        found = json.loads(text)
        version = found["version"]
    except (ValueError, LookupError, TypeError) as error:
        raise _refused(
            file, "this is no backfill plan", "expected", "what `backfill plan -o` wrote"
        ) from error
    if version != VERSION:
        raise _refused(file, f"the plan has version {version}", "expected", f"version {VERSION}")
    try:
        plan = BackfillPlan.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise _refused(file, "this is no backfill plan", "found", f"{at}: {first['msg']}") from error
    if named(plan).id != plan.id:
        problem = "the plan was changed after it was made"
        raise _refused(file, problem, "expected", f"what was planned as {plan.id}, as it was")
    return plan


def _document(plan: BackfillPlan) -> dict[str, Any]:
    return plan.model_dump(mode="json", by_alias=True)


def _refused(file: str, problem: str, label: str, text: str) -> SelectionError:
    return SelectionError(
        file,
        problem,
        facts=[(label, text)],
        effect="nothing was run",
        next_steps=["dataplat backfill plan --select … --from … --to … -o " + file],
    )


def at_platform(moment: datetime, zone: Any) -> datetime:
    """Return a time as plans show it: on the platform's clock, in whole seconds."""
    return moment.astimezone(zone).replace(microsecond=0)
