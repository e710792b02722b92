"""``dataplat shards``: the physical tables of a sharded table, found against expected."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from dataplat.cli.failures import USAGE
from dataplat.cli.options import Config, Json, Table, session_of
from dataplat.cli.output import count

if TYPE_CHECKING:
    from dataplat.plan.census import Census


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("shards")(shards)


def shards(
    context: typer.Context,
    table: Table,
    at: Annotated[
        str,
        typer.Option("--at", metavar="PARTITION", help="A partition; without it the latest that has ended."),
    ] = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show the shards of a table: missing, new, empty, different.

    What is expected comes from `expect`: names, a number, or what earlier partitions were made of. Exit 2 if
    one is missing: a load would be rejected before anything is read. Rows are those of the partition.
    """
    session = session_of(context)
    spec = session.catalog.table(table)
    from dataplat.cli.ledger import partition_key
    from dataplat.lifecycle.census import count_shards
    from dataplat.plan.partitions import latest_partition
    from dataplat.specs import SecretResolver

    zone = session.catalog.platform.zone
    key = partition_key(spec, at) if at else latest_partition(spec.window.grain, now=session.now(), zone=zone)
    with session.guarded_sources():
        census = count_shards(session.catalog, session.ledger, spec, key, SecretResolver(session.environ))
    session.output.document(_document(spec.table, census))
    session.output.line(f"{spec.table}[{key}]: {_summary(census)}\n")
    session.output.table(["  shard", "state", "rows"], _rows(census))
    for sentence in census.different:
        session.output.line(f"\n  different: {sentence}")
    if census.lacking:
        raise typer.Exit(USAGE)


def _summary(census: "Census") -> str:
    expectation = census.expectation
    found = f"{count(len(census.found))} found"
    if not expectation.because:
        return f"{found}, nothing says how many there should be"
    if expectation.shards is None:
        expected = f"at least {count(expectation.at_least)}"
    else:
        expected = count(len(expectation.shards))
    missing = f", {count(census.lacking)} missing" if census.lacking else ""
    return f"{found}, {expected} expected ({expectation.because}){missing}"


def _rows(census: "Census") -> Iterator[list[str]]:
    new, empty = set(census.new), set(census.empty)
    for shard in sorted({*census.found, *census.missing}):
        if shard not in census.found:
            yield [f"  {shard}", "missing", ""]
            continue
        states = [word for word, some in (("new", new), ("empty", empty)) if shard in some]
        yield [f"  {shard}", ", ".join(states) or "found", count(census.rows.get(shard))]


def _document(table: str, census: "Census") -> dict[str, object]:
    expectation = census.expectation
    return {
        "ok": not census.lacking,
        "table": table,
        "partition": census.key,
        "expected": None if expectation.shards is None else [str(shard) for shard in expectation.shards],
        "expected_at_least": expectation.at_least,
        "expected_because": expectation.because,
        "found": [{"shard": str(shard), "rows": census.rows.get(shard)} for shard in census.found],
        "missing": [str(shard) for shard in census.missing],
        "lacking": census.lacking,
        "new": [str(shard) for shard in census.new],
        "different": list(census.different),
        "empty": [str(shard) for shard in census.empty],
    }
