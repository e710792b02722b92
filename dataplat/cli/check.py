"""``dataplat check``: is the configuration right, and with ``--connect``, does everything it names answer."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.session import Session
from dataplat.errors import SpecError

if TYPE_CHECKING:
    from dataplat.specs import AnyTable, Catalog

_COUNTED = ("tables", "incremental", "snapshot", "models", "checks", "scheduled")


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("check")(check)


def check(
    context: typer.Context,
    connect: Annotated[
        bool,
        typer.Option("--connect", help="Also try every source, warehouse, ledger, audit, engine, Dagster."),
    ] = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Find every problem of the configuration, as file:line.

    Without --connect nothing is connected to and no secret is needed. Exit 1 if anything is wrong.
    """
    session = session_of(context)
    catalog = load_checked(session)
    missing = catalog.missing_secrets(session.environ)
    summary = _summary(catalog)
    _show(session, summary, missing)
    if not connect:
        session.output.document(
            {"ok": True, **summary, "missing_secrets": [_secret(*one) for one in missing]}
        )
        return
    from dataplat.cli.connect import try_everything

    probes = []
    for probe in try_everything(session):
        probes.append(probe)
        session.output.line(probe.render())
    good = all(probe.error is None for probe in probes)
    session.output.document(
        {
            "ok": good,
            **summary,
            "missing_secrets": [_secret(*one) for one in missing],
            "probes": [probe.document() for probe in probes],
        }
    )
    if not good:
        raise typer.Exit(FAILED)


def load_checked(session: Session) -> "Catalog":
    """Return the configuration once nothing in it is wrong.

    Raises:
        SpecError: With every problem; those of models only where every file can be read, because a table
            that is missing for a broken file would be one more problem of each model that reads it.
    """
    from dataplat.plan.inspect import inspect_table
    from dataplat.plan.models.inspect import inspect_models
    from dataplat.specs import load_catalog
    from dataplat.specs.problems import spec_error
    from dataplat.udfs.registry import find_udfs, inspect_udf_files

    try:
        catalog = session.catalog
    except SpecError:
        load_catalog(session.settings.config_dir, session.environ, inspect=inspect_table)
        raise
    problems = [problem for table in catalog.tables.values() for problem in inspect_table(table)]
    udfs, udf_problems = find_udfs(catalog.platform, catalog.config_dir.parent)
    problems += udf_problems or inspect_udf_files(udfs.values(), catalog.platform)
    # A function that is missing for a broken module would be one more problem of each model that calls it.
    known = None if udf_problems else {*udfs, *map(str.lower, catalog.platform.functions)}
    problems += inspect_models(catalog, known)
    if problems:
        raise spec_error(catalog.config_dir.name, problems)
    return catalog


def _summary(catalog: "Catalog") -> dict[str, Any]:
    layers: dict[str, Counter[str]] = {}
    tables: list[AnyTable] = [*catalog.tables.values(), *catalog.models.values()]
    for table in tables:
        layer = layers.setdefault(table.layer, Counter())
        layer.update(tables=1, checks=len(table.checks), scheduled=1 if table.schedule else 0)
        layer[_kind(table)] += 1
    sources = Counter(name for table in catalog.tables.values() for name in table.all_sources)
    return {
        "config": catalog.config_dir.name,
        "layers": {layer: {name: counts[name] for name in _COUNTED} for layer, counts in layers.items()},
        "sources": {
            name: {"kind": source.kind, "host": source.host, "port": source.port, "tables": sources[name]}
            for name, source in catalog.sources.items()
        },
    }


def _kind(table: "AnyTable") -> str:
    from dataplat.specs import TableSpec

    return table.load if isinstance(table, TableSpec) else "models"


def _show(session: Session, summary: dict[str, Any], missing: tuple[tuple[str, str], ...]) -> None:
    output = session.output
    if summary["layers"]:
        output.table(
            ["layer", *_COUNTED],
            [[layer, *counts.values()] for layer, counts in summary["layers"].items()],
        )
        output.line()
    if summary["sources"]:
        output.table(
            ["source", "kind", "address", "tables"],
            [
                [name, one["kind"], f"{one['host']}:{one['port']}", one["tables"]]
                for name, one in summary["sources"].items()
            ],
        )
        output.line()
    for reference, place in missing:
        output.note(f"warning: {place}: {reference} is not set here")
    output.line(f"{summary['config']}/ is right")


def _secret(reference: str, place: str) -> dict[str, str]:
    return {"secret": reference, "declared": place}
