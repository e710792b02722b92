"""``dataplat load``: load partitions of tables, each table and each range in a Dagster run of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED
from dataplat.cli.options import Config, Dates, Json, Select, Wait, session_of
from dataplat.cli.output import count
from dataplat.cli.progress import LoadProgress, subject
from dataplat.cli.session import Session
from dataplat.errors import DataplatError

if TYPE_CHECKING:
    from dataplat.lifecycle.report import LoadReport, PartitionReport
    from dataplat.orchestration.launch import RunResult
    from dataplat.specs import AnyTable


@dataclass
class TableLoad:
    """One table of the command: what was asked of it and what came of it."""

    spec: "AnyTable"
    keys: tuple[str, ...]
    reports: "list[LoadReport]" = field(default_factory=list)
    results: "list[RunResult]" = field(default_factory=list)

    @property
    def rows(self) -> "dict[str, tuple[LoadReport, PartitionReport]]":
        """The last report of each partition; a partition that was never read is absent."""
        return {item.partition: (report, item) for report in self.reports for item in report.partitions}


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("load")(load)


def load(
    context: typer.Context,
    select: Select,
    date: Dates = "",
    lookback: Annotated[
        bool | None,
        typer.Option(
            "--lookback/--no-lookback",
            help="Whether what a table's lookback says is read again; else with a single partition only.",
            show_default=False,
        ),
    ] = None,
    wait: Wait = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be loaded, and stop.")] = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Load partitions: read, count, compare, check, then publish.

    Tables are loaded in turn, models after what they read; one that fails does not stop the others. What
    was visible before stays visible wherever a partition is not published. Exit 1 if any was not.
    """
    session = session_of(context)
    specs = in_order(session, session.catalog.select_any(select))
    loads = [
        TableLoad(spec, _with_lookback(session, spec, select_keys(session, spec, date), lookback))
        for spec in specs
    ]
    if dry_run:
        _show_plan(session, loads)
        return
    run_loads(session, loads, wait)
    session.output.document(document_of(loads))
    show_loads(session, loads)
    if not all(result.succeeded for one in loads for result in one.results):
        raise typer.Exit(FAILED)


def in_order(session: Session, specs: "Sequence[AnyTable]") -> "list[AnyTable]":
    """Return tables in an order in which they can be made: loaded ones, then models after what they read.

    Raises:
        SpecError: The SQL of a model is wrong. Not asked where there is no model among the tables.
    """
    from dataplat.specs import ModelSpec

    if not any(isinstance(spec, ModelSpec) for spec in specs):
        return list(specs)
    place = {name: number for number, name in enumerate(session.graph.models)}
    return sorted(specs, key=lambda spec: place.get(spec.table, -1))


def select_keys(session: Session, spec: "AnyTable", date: str) -> tuple[str, ...]:
    """Return the partitions that ``--date`` means for a table; empty text is the latest that has ended."""
    from dataplat.plan.partitions import select_partitions

    platform = session.catalog.platform
    return select_partitions(
        date,
        spec.window.grain,
        first=spec.window.start or platform.start,
        now=session.now(),
        zone=platform.zone,
        subject=spec.table,
    )


def _with_lookback(
    session: Session, spec: "AnyTable", keys: tuple[str, ...], wanted: bool | None
) -> tuple[str, ...]:
    """Add what the table's ``lookback`` reads again; ranges and lists are loaded as they were named."""
    from dataplat.plan.lookback import with_lookback
    from dataplat.specs import TableSpec

    if wanted is False or not isinstance(spec, TableSpec) or spec.lookback is None:
        return keys
    if wanted is None and len(keys) > 1:
        return keys
    platform = session.catalog.platform
    first = spec.window.start or platform.start
    return with_lookback(keys, spec.window.grain, spec.lookback, first=first, zone=platform.zone)


def _show_plan(session: Session, loads: Sequence[TableLoad]) -> None:
    from dataplat.plan.partitions import contiguous_runs

    zone = session.catalog.platform.zone
    planned = [
        {
            "table": one.spec.table,
            "partitions": list(one.keys),
            "runs": [list(run) for run in contiguous_runs(one.keys, one.spec.window.grain, zone)],
            "load": _read_mode(one.spec),
            "source": _source(one.spec) or None,
            "engine": one.spec.engine,
        }
        for one in loads
    ]
    session.output.document({"ok": True, "dry_run": True, "tables": planned})
    rows = [
        [
            one.spec.table,
            subject("", run),
            count(len(run)),
            _read_mode(one.spec),
            _source(one.spec),
            one.spec.engine,
        ]
        for one in loads
        for run in contiguous_runs(one.keys, one.spec.window.grain, zone)
    ]
    session.output.table(
        ["table", "run", "partitions", "read", "source", "engine"],
        [[row[0], row[1].strip("[]"), *row[2:]] for row in rows],
    )
    session.output.line("\nnothing was read: this was a dry run")


def _read_mode(spec: "AnyTable") -> str:
    from dataplat.specs import TableSpec

    return spec.load if isinstance(spec, TableSpec) else "sql"


def _source(spec: "AnyTable") -> str:
    from dataplat.specs import TableSpec

    return ", ".join(spec.all_sources) if isinstance(spec, TableSpec) else ""


def run_loads(session: Session, loads: Sequence[TableLoad], wait: float) -> None:
    """Load in this process, table by table; one that fails does not stop the others."""
    session.under_way = "nothing had been read yet"
    with LoadProgress(session, sum(len(one.keys) for one in loads)) as progress:
        progress.note("starting")
        from dataplat.orchestration.launch import run_table
        from dataplat.orchestration.observer import Observer

        platform, instance = session.platform, session.instance
        for one in loads:

            def read_ended(report: "LoadReport", one: TableLoad = one) -> None:
                one.reports.append(report)
                progress.read_ended(report)

            def again(error: DataplatError, seconds: float) -> None:
                progress.note(f"{error.subject}: {error.problem}; trying again in {seconds:g} s")

            observer = Observer(
                progress=progress.step,
                report=read_ended,
                again=again,
                waiting=progress.note,
                wait_seconds=wait,
                waits_once=True,
                command=session.command,
            )
            one.results += run_table(platform, instance, one.spec, one.keys, observer)
    session.under_way = ""


def _failures(loads: "Sequence[TableLoad]") -> "list[tuple[TableLoad, RunResult]]":
    return [(one, result) for one in loads for result in one.results if not result.succeeded]


def document_of(loads: Sequence[TableLoad]) -> dict[str, Any]:
    """Return what came of loads, for ``--json``."""
    failures = _failures(loads)
    return {
        "ok": not failures,
        "partitions": [item for one in loads for item in _documents(one)],
        "failures": [
            {
                "table": one.spec.table,
                "partitions": list(result.partitions),
                "run_id": result.run_id,
                "message": result.message,
            }
            for one, result in failures
        ],
    }


def show_loads(session: Session, loads: Sequence[TableLoad]) -> None:
    """Print what came of loads, for people."""
    failures = _failures(loads)
    session.output.table(
        ["table", "partition", "source", "written", "files hold", "verdict", "seconds"],
        [row for one in loads for row in _rows(one)],
    )
    for text in (text for one in loads for text in _warnings(one)):
        session.output.note(text)
    for one, result in failures:
        if not result.message.startswith(one.spec.table):
            session.output.note(f"\n{subject(one.spec.table, result.partitions)} was not loaded:")
            session.output.note(result.message)
        else:
            session.output.note(f"\n{result.message}")
    if failures:
        published = sum(1 for one in loads for _, item in one.rows.values() if item.verdict == "published")
        asked = sum(len(one.keys) for one in loads)
        session.output.note(f"\n{published} of {asked} partitions were published")


def _warnings(one: TableLoad) -> Iterator[str]:
    """Yield a line for each check that failed and let its partition be published all the same."""
    for key, (_, item) in one.rows.items():
        for outcome in item.outcomes:
            if item.verdict == "published" and not outcome.passed:
                effect = ""
                if outcome.severity == "error" and isinstance(outcome.downstream, tuple):
                    effect = f"; held back: {', '.join(outcome.downstream)}"
                yield f"warning: {subject(one.spec.table, [key])}: {outcome.check}: {outcome.message}{effect}"


def _rows(one: TableLoad) -> list[list[str]]:
    """One row a partition; the seconds of a read stand in its first row."""
    rows, timed = [], set()
    for key in one.keys:
        if key not in one.rows:
            rows.append([one.spec.table, key, "", "", "", "failed", ""])
            continue
        report, item = one.rows[key]
        source = count(item.source_before)
        if item.source_after != item.source_before:
            source += f" → {count(item.source_after)}"
        seconds = "" if report.version in timed else f"{report.seconds.get('total', 0.0):.1f}"
        timed.add(report.version)
        rows.append(
            [one.spec.table, key, source, count(item.written), count(item.rows), item.verdict, seconds]
        )
    return rows


def _documents(one: TableLoad) -> list[dict[str, Any]]:
    runs = {key: result.run_id for result in one.results for key in result.partitions}
    documents: list[dict[str, Any]] = []
    for key in one.keys:
        document: dict[str, Any] = {"table": one.spec.table, "partition": key, "run_id": runs.get(key)}
        if key in one.rows:
            report, item = one.rows[key]
            document |= {name: value for name, value in asdict(item).items() if name != "outcomes"}
            document["checks"] = [asdict(outcome) for outcome in item.outcomes]
            document["seconds_of_read"] = {name: round(value, 3) for name, value in report.seconds.items()}
        else:
            document["verdict"] = "failed"
        documents.append(document)
    return documents
