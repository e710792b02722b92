"""``dataplat drift``: which closed partitions the source has changed since, and loading just those again."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED, describe
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count
from dataplat.cli.progress import start_bar
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.lifecycle.drift import TableDrift
    from dataplat.orchestration.enqueue import Enqueued
    from dataplat.plan.drift import PartitionDrift


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("drift")(drift)


def drift(
    context: typer.Context,
    select: Annotated[str, typer.Argument(metavar="SELECT", help="As for load; else every table.")] = "*",
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, help="How many business days back.")] = 8,
    checksum: Annotated[
        bool, typer.Option("--checksum", help="Compare values too, by hashing both sides.")
    ] = False,
    queue: Annotated[bool, typer.Option("--enqueue", help="Let Dagster load those that changed.")] = False,
    load: Annotated[bool, typer.Option("--load", help="Load those that changed, here and now.")] = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show which closed partitions their sources have changed.

    They are counted again and compared with what the visible version took from the source; --checksum also
    finds updates that leave the number as it was. A snapshot does not drift, and what was never loaded is
    shown as missing and left alone. Exit 1 if a partition changed and was neither queued nor loaded, or a
    source could not be asked.
    """
    if queue and load:
        raise typer.BadParameter("either --enqueue or --load, not both")
    session = session_of(context)
    found = _find(session, select, days, checksum)
    changed = [one for one in found if one.changed]
    done = not changed
    document: dict[str, Any] = {
        "days": days,
        "checksum": checksum,
        "tables": [_document(one) for one in found],
    }
    _show(session, found)
    if changed and queue:
        enqueued, alive = _enqueue(session, changed)
        document["enqueued"] = _queue_document(enqueued, alive)
        _show_queue(session, enqueued, alive)
        done = True
    elif changed and load:
        document["loads"], done = _load(session, changed)
    elif changed:
        session.output.note(f"\nload them again: {session.command} --enqueue   or   --load")
    failed = [one for one in found if one.error is not None]
    for one in failed:
        session.output.note(f"\n{one.error}")
    ok = done and not failed
    session.output.document({"ok": ok, **document})
    if not ok:
        raise typer.Exit(FAILED)


def _find(session: Session, select: str, days: int, checksum: bool) -> "list[TableDrift]":
    from dataplat.lifecycle.drift import find_drift
    from dataplat.lifecycle.recount import Recounter
    from dataplat.specs import SecretResolver

    specs = session.catalog.select(select)
    secrets = SecretResolver(session.environ)
    recounter = Recounter(session.catalog, session.ledger, secrets, session.output.note)
    hash_both = None
    if checksum:
        from dataplat.lifecycle.drift_values import hash_both_sides

        hash_both = hash_both_sides(session.platform)
    asked = find_drift(recounter, specs, now=session.now(), days=days, hash_both=hash_both)
    found = []
    bar = start_bar(session.output)
    task = bar.add_task("counting", total=len(specs)) if bar else None
    try:
        for one in asked:
            found.append(one)
            if bar:
                bar.update(task, advance=1, description=one.spec.table)
    finally:
        if bar:
            bar.stop()
    return found


def _show(session: Session, found: "Sequence[TableDrift]") -> None:
    from dataplat.plan.drift import Standing

    rows = [
        [one.spec.table, item.key, *_numbers(item), _verdict(item)]
        for one in found
        for item in one.partitions
        if item.standing is not Standing.SAME
    ]
    if rows:
        session.output.table(["table", "partition", "then", "now", "difference", "verdict"], rows)
        session.output.line()
    for one in found:
        for item in one.partitions:
            for shard in item.shards:
                now = "gone" if shard.now is None else count(shard.now)
                session.output.line(
                    f"{one.spec.table}[{item.key}] {shard.shard}: {count(shard.then)} → {now}"
                )
    session.output.line(_summary(found))
    for reason in dict.fromkeys(one.skipped for one in found if one.skipped):
        tables = ", ".join(one.spec.table for one in found if one.skipped == reason)
        session.output.note(f"not counted: {tables}: {reason}")


def _numbers(item: "PartitionDrift") -> list[str]:
    difference = item.difference
    return [count(item.then), count(item.now), "" if difference is None else f"{difference:+,}"]


def _verdict(item: "PartitionDrift") -> str:
    notes = [note for note in ("other values" if item.values_differ else "", item.note) if note]
    return f"{item.standing}: {', '.join(notes)}" if notes else str(item.standing)


def _summary(found: "Sequence[TableDrift]") -> str:
    from dataplat.specs.problems import counted

    partitions = sum(len(one.partitions) for one in found)
    asked = sum(1 for one in found if one.partitions)
    changed, missing = (sum(len(keys) for keys in some) for some in _keys(found))
    text = f"{counted(partitions, 'partition')} of {counted(asked, 'table')} counted: {changed} changed"
    return text + (f", {missing} missing" if missing else "")


def _keys(found: "Sequence[TableDrift]") -> Iterator[list[tuple[str, ...]]]:
    yield [one.changed for one in found]
    yield [one.missing for one in found]


def _enqueue(session: Session, changed: "Sequence[TableDrift]") -> "tuple[Enqueued, bool]":
    from dataplat.orchestration.enqueue import daemon_is_alive, enqueue

    instance = session.instance
    queued = enqueue(
        instance,
        session.catalog,
        [(one.spec, one.changed) for one in changed],
        title=f"drift of {session.now().astimezone(session.catalog.platform.zone):%Y-%m-%d %H:%M}",
        actor=session.settings.actor,
        launched_by="drift",
    )
    return queued, daemon_is_alive(instance)


def _show_queue(session: Session, enqueued: "Enqueued", alive: bool) -> None:
    from dataplat.specs.problems import counted

    queued = sum(len(keys) for keys in enqueued.queued.values())
    if queued:
        session.output.line(f"queued: {counted(queued, 'partition')}, backfill {enqueued.backfill}")
    for table, keys in enqueued.under_way.items():
        session.output.line(f"under way already: {table} {', '.join(keys)}")
    if not alive:
        session.output.note(
            "\nno daemon of Dagster has been at work in the last minutes: what is queued waits for one"
            f"\nload it here instead: {session.command.replace('--enqueue', '--load')}"
        )


def _load(session: Session, changed: "Sequence[TableDrift]") -> tuple[dict[str, Any], bool]:
    from dataplat.cli.load import TableLoad, document_of, run_loads, show_loads

    loads = [TableLoad(one.spec, one.changed) for one in changed]
    run_loads(session, loads, wait=0)
    session.output.line()
    show_loads(session, loads)
    document = document_of(loads)
    return document, bool(document["ok"])


def _queue_document(enqueued: "Enqueued", alive: bool) -> dict[str, Any]:
    return {
        "backfill": enqueued.backfill or None,
        "queued": {table: list(keys) for table, keys in enqueued.queued.items()},
        "under_way": {table: list(keys) for table, keys in enqueued.under_way.items()},
        "daemon_is_alive": alive,
    }


def _document(one: "TableDrift") -> dict[str, Any]:
    return {
        "table": one.spec.table,
        "skipped": one.skipped or None,
        "error": describe(one.error) if one.error is not None else None,
        "changed": list(one.changed),
        "missing": list(one.missing),
        "partitions": [
            {
                "partition": item.key,
                "standing": str(item.standing),
                "then": item.then,
                "now": item.now,
                "difference": item.difference,
                "values_differ": item.values_differ,
                "version": item.version or None,
                "note": item.note or None,
                "shards": [{"shard": s.shard, "then": s.then, "now": s.now} for s in item.shards],
            }
            for item in one.partitions
        ],
    }
