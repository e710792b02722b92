"""``ledger``, ``versions`` and ``path``: what is known about a table's partitions, and where they are."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.options import Config, Json, Partition, SomePartition, Table, session_of
from dataplat.cli.output import count, moment, size
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.ledger import TableVersion
    from dataplat.lifecycle.balance import VersionBalance
    from dataplat.specs import AnyTable

Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Show at most so many versions.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command("ledger")(ledger)
    app.command("versions")(versions)
    app.command("path")(path)


def ledger(
    context: typer.Context,
    table: Table,
    partition: SomePartition = None,
    limit: Limit = 50,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show what happened to a table or to one partition.

    For a partition: rows at every hop from source to files and whether they balance, every check, versions,
    holds, who loads it. The files that readers see are counted now.
    """
    session = session_of(context)
    spec = session.catalog.any_table(table)
    if partition is None:
        _show_history(session, spec, limit)
    else:
        _show_partition(session, spec, partition_key(spec, partition), limit)


def versions(
    context: typer.Context,
    table: Table,
    partition: SomePartition = None,
    limit: Limit = 50,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show which versions there are, and which is visible."""
    session = session_of(context)
    spec = session.catalog.any_table(table)
    key = partition_key(spec, partition) if partition else None
    rows = session.ledger.history(spec.table, key, limit=limit)
    session.output.document(
        {"ok": True, "table": spec.table, "partition": key, "versions": [asdict(row) for row in rows]}
    )
    if not rows:
        session.output.line(_nothing_yet(spec, key))
        return
    shown = sorted(rows, key=lambda row: row.partition)
    session.output.table(
        ["partition", "version", "state", "rows", "files", "size", "location"],
        [
            [
                row.partition,
                row.version,
                row.state,
                count(row.rows),
                count(row.files),
                size(row.bytes),
                row.location if row.state != "collected" else "",
            ]
            for row in shown
        ],
    )


def path(
    context: typer.Context,
    table: Table,
    partition: Partition,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Print where the visible files of a partition are.

    Asks the metastore. The path is good until the version is collected, which is never while it is
    visible. Exit 1 if the partition is not published.
    """
    session = session_of(context)
    spec = session.catalog.any_table(table)
    key = partition_key(spec, partition)
    from dataplat.lifecycle.lookup import find_location

    location = find_location(session.platform, spec, key)
    session.output.document({"ok": True, "table": spec.table, "partition": key, "location": location})
    session.output.line(location)


def partition_key(spec: "AnyTable", text: str) -> str:
    """Return the canonical key of what somebody typed for a partition of a table."""
    from dataplat.plan.partition_names import parse_partition

    return parse_partition(text, spec.window.grain, subject=spec.table)


def _nothing_yet(spec: "AnyTable", key: str | None) -> str:
    name = f"{spec.table}[{key}]" if key else spec.table
    date = f" --date {key}" if key else ""
    return f"{name} was never loaded: dataplat load {spec.table}{date}"


def _show_history(session: Session, spec: "AnyTable", limit: int) -> None:
    rows = session.ledger.history(spec.table, limit=limit)
    session.output.document({"ok": True, "table": spec.table, "versions": [asdict(row) for row in rows]})
    if rows:
        _version_table(session, rows)
    else:
        session.output.line(_nothing_yet(spec, None))


def _version_table(session: Session, rows: Sequence["TableVersion"]) -> None:
    zone = session.catalog.platform.timezone
    session.output.table(
        ["begun", "partition", "version", "state", "rows", "by", "reason"],
        [
            [
                moment(row.created_at, zone),
                row.partition,
                row.version,
                row.state,
                count(row.rows),
                row.changed_by or row.actor,
                row.reason,
            ]
            for row in rows
        ],
    )


def _show_partition(session: Session, spec: "AnyTable", key: str, limit: int) -> None:
    from dataplat.lifecycle.balance import balance_of

    ledger, table = session.ledger, spec.table
    history = ledger.history(table, key, limit=limit)
    hops, checks = ledger.hops(table, key), ledger.checks(table, key)
    holds, waivers = ledger.holds(table, [key]), ledger.waivers(table, [key])
    locks = ledger.locks(table, [key])
    balances = {row.version: balance_of(row, hops, spec.format) for row in history}
    session.output.document(
        {
            "ok": True,
            "table": table,
            "partition": key,
            "versions": [asdict(row) for row in history],
            "hops": [asdict(row) for row in hops],
            "balance": {version: found.document() for version, found in balances.items()},
            "checks": [asdict(row) for row in checks],
            "holds": [asdict(row) for row in holds],
            "waivers": [asdict(row) for row in waivers],
            "locks": [{"owner": asdict(row.owner), "acquired_at": row.acquired_at} for row in locks],
        }
    )
    if history:
        _version_table(session, history)
    else:
        session.output.line(_nothing_yet(spec, key))
    for row in history:
        _show_numbers(
            session,
            row.version,
            [hop for hop in hops if hop.version == row.version],
            [check for check in checks if check.version == row.version],
            balances[row.version],
        )
    for line in _standing(session, holds, waivers, locks):
        session.output.line(f"\n{line}")


def _standing(
    session: Session, holds: Sequence[Any], waivers: Sequence[Any], locks: Sequence[Any]
) -> Iterator[str]:
    zone = session.catalog.platform.timezone
    for hold in holds:
        yield f"held since {moment(hold.held_at, zone)} by {hold.actor}: {hold.reason}"
    for waiver in waivers:
        yield f"waived once until {moment(waiver.until, zone)} by {waiver.actor}: {waiver.reason}"
    for lock in locks:
        since = moment(lock.acquired_at, zone)
        yield f"locked since {since} by pid {lock.owner.pid} on {lock.owner.host}: {lock.owner.command}"


def _show_numbers(
    session: Session, version: str, hops: Sequence[Any], checks: Sequence[Any], balance: "VersionBalance"
) -> None:
    if not hops and not checks:
        return
    output = session.output
    output.line(f"\n{version}")
    whole = [hop for hop in hops if not hop.shard]
    with_target = any(hop.target for hop in whole)
    output.table(
        ["  hop", *(["target"] if with_target else []), "rows", "files", "size"],
        [
            [
                f"  {hop.hop}",
                *([hop.target] if with_target else []),
                *(count(hop.rows), count(hop.files), size(hop.bytes)),
            ]
            for hop in whole
        ],
    )
    _show_shards(session, [hop for hop in hops if hop.shard])
    for line in balance.lines():
        output.line(line)
    if not checks:
        return
    output.line()
    output.table(
        ["  check", "result", "numbers"],
        [[f"  {check.check}", _result(check), _numbers(check.numbers)] for check in checks],
    )
    for check in checks:
        if not check.passed:
            output.line(f"  {check.check}: {check.message}")


def _show_shards(session: Session, hops: Sequence[Any]) -> None:
    """Show what was counted in each shard, a column for each hop."""
    if not hops:
        return
    names = list(dict.fromkeys(str(hop.hop) for hop in hops))
    rows: dict[str, dict[str, str]] = {}
    for hop in hops:
        rows.setdefault(hop.shard, {})[str(hop.hop)] = count(hop.rows)
    session.output.line()
    session.output.table(
        ["  shard", *names],
        [[f"  {shard}", *(counted.get(name, "") for name in names)] for shard, counted in rows.items()],
    )


def _result(check: Any) -> str:
    if check.passed:
        return "passed"
    return "failed" if check.blocking else "warned"


def _numbers(numbers: Any) -> str:
    shown = (
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in numbers.items()
    )
    return ", ".join(shown)
