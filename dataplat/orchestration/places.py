"""A command's place in the pool of its source: waited for here, and taken from those who died holding one.

Dagster counts how many loads read from a source at once, over all processes. Two things it leaves to its
daemon, or undone, and a command works without a daemon:

* A process that is killed keeps its place, and its run is "started" for ever. Here a run carries the process
  it runs in, so that the next command can tell that it is gone.
* Dagster's own waiting neither sleeps nor hears Ctrl-C. Here a command waits before its run begins; only
  two that find the last place free at one moment still meet in Dagster's.
"""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import dagster as dg

from dataplat.ledger import LockOwner

PROCESS_TAG = "dataplat/process"
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_LOOK_AGAIN_SECONDS = 1.0


def process_tag() -> dict[str, str]:
    """Return the tag that says which process a run lives in."""
    return {PROCESS_TAG: json.dumps(_identity(LockOwner.current()))}


def settle_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs failed whose process has ended without saying so, free their places, and return their ids.

    Only runs of commands on this machine can be judged; those of the daemon are its own.
    """
    settled = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        tag = run.tags.get(PROCESS_TAG)
        if tag is not None and _is_gone(tag):
            instance.report_run_failed(run, "its process has ended without a word: killed, or out of memory")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            settled.append(run.run_id)
    return settled


def cancel_own_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs of this process canceled that an interrupt left under way, and free their places."""
    mine = process_tag()
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED, tags=mine)):
        instance.report_run_canceled(run, "interrupted: what was visible before is still visible")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def wait_for_place(instance: dg.DagsterInstance, pool: str, say: Callable[[str], None]) -> None:
    """Return when the pool has a free place; say once who is waited for. Ctrl-C ends the waiting."""
    said = False
    while True:
        found = instance.event_log_storage.get_concurrency_info(pool)
        for run_id in {slot.run_id for slot in found.claimed_slots}:
            run = instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        if found.slot_count == 0 or found.active_slot_count < found.slot_count:
            return
        if not said:
            say(_waiting(instance, pool, found))
            said = True
        time.sleep(_LOOK_AGAIN_SECONDS)
        settle_dead_runs(instance)


def _waiting(instance: dg.DagsterInstance, pool: str, found: Any) -> str:
    runs = map(instance.get_run_by_id, {slot.run_id for slot in found.claimed_slots})
    tables = sorted({run.tags.get("dataplat/table", run.run_id[:8]) for run in runs if run is not None})
    loads = "1 load" if found.slot_count == 1 else f"{found.slot_count} loads"
    return f"waiting: {pool} allows {loads} at once, and {', '.join(tables)} is under way"


def _identity(owner: LockOwner) -> dict[str, Any]:
    host = hashlib.sha256(owner.host_id.encode()).hexdigest()[:16]
    return {"host": owner.host, "host_id": host, "pid": owner.pid, "started": round(owner.pid_started, 1)}


def _is_gone(tag: str) -> bool:
    me = LockOwner.current()
    try:
        found = json.loads(tag)
        owner = LockOwner(
            host=found["host"], host_id=me.host_id, pid=found["pid"], pid_started=found["started"]
        )
    except (ValueError, LookupError, TypeError):  # somebody else's tag
        return False
    return found["host_id"] == _identity(me)["host_id"] and owner.is_gone()
