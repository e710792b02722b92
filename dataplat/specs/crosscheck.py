"""What no file can know by itself: names that must exist elsewhere, and things declared twice."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from dataplat.specs.audit_checks import check_audits
from dataplat.specs.audited import check_audited
from dataplat.specs.awaited import check_after, check_readiness
from dataplat.specs.check_names import check_references, written_at
from dataplat.specs.checks import ROW_COUNT_CHECK
from dataplat.specs.columns_text import plain_target
from dataplat.specs.documents import Declared
from dataplat.specs.drift import DriftSpec
from dataplat.specs.model import ModelSpec
from dataplat.specs.model_test import ModelTestSpec
from dataplat.specs.platform import PlatformSpec
from dataplat.specs.problems import Loc, Problem, did_you_mean
from dataplat.specs.source import SourceSpec
from dataplat.specs.table import TableSpec
from dataplat.specs.values import Grain
from dataplat.specs.warehouse_table import WarehouseTable

_LONGEST = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}


def cross_check(specs: Mapping[str, list[Any]], files: Mapping[str, set[Path]]) -> list[Problem]:
    """Return the problems between files.

    Args:
        specs: The files that are valid in themselves, by kind.
        files: All files by kind: a reference to a broken file is not a second problem.
    """
    platform: PlatformSpec | None = next(iter(specs["platform"]), None)
    tables: list[TableSpec] = specs["table"]
    problems: list[Problem] = []
    for table in tables:
        problems += _references(table, {path.stem for path in files["source"]}, platform)
        problems += _load(table)
        problems += _columns(table, platform)
        problems += _checks(table)
    models: list[ModelSpec] = specs["model"]
    for model in models:
        problems += _engine(model, platform)
        problems += _hour_column(model, model.grain, platform)
        problems += _checks(model)
    problems += check_references([*tables, *models], platform.external if platform else (), files)
    problems += _collisions([*tables, *models])
    problems += _external(platform, [*tables, *models])
    problems += check_readiness(specs["readiness"], [*tables, *models], platform, files)
    problems += check_after(models, files["readiness"])
    problems += _without_model(specs["model_test"], files["model"])
    sources = {path.stem for path in files["source"]}
    problems += check_audits(specs["audit"], sources, {table.table for table in [*tables, *models]})
    ours = {table.table.lower(): table.declared.at("table").split()[0] for table in [*tables, *models]}
    awaited = {one.table.lower(): one.declared.file for one in specs["readiness"]}
    problems += check_audited(specs["audit"], platform, ours, awaited)
    problems += _clocks(tables, specs["source"])
    return problems + list(_source_names(specs["source"]))


def _clocks(tables: list[TableSpec], sources: list[SourceSpec]) -> Iterator[Problem]:
    """A window is one text for all instances of a table, so that their clocks must be the same."""
    zones = {source.name: source.timezone for source in sources}
    for table in tables:
        found = {name: zones[name] for name in table.sources if name in zones}
        if len(set(found.values())) > 1:
            shown = ", ".join(f"{name}: {zone or 'as the platform'}" for name, zone in found.items())
            yield table.declared.problem(
                ("sources",), f"instances of one table keep one time zone, found {shown}"
            )


def _references(table: TableSpec, sources: set[str], platform: PlatformSpec | None) -> Iterator[Problem]:
    problem = table.declared.problem
    for index, name in enumerate(table.all_sources):
        if name not in sources:
            loc: Loc = ("sources", index) if table.sources else ("source",)
            yield problem(loc, _unknown("source", name, sources))
    yield from _engine(table, platform)


def _engine(table: WarehouseTable, platform: PlatformSpec | None) -> Iterator[Problem]:
    if platform and table.engine not in platform.engine_names:
        yield table.declared.problem(
            ("engine",), _unknown("engine", table.engine, set(platform.engine_names))
        )


def _unknown(kind: str, name: str, known: set[str]) -> str:
    hint = did_you_mean(name, known) or f"; declared are {', '.join(sorted(known)) or 'none'}"
    return f"there is no {kind} '{name}'{hint}"


def _load(table: TableSpec) -> Iterator[Problem]:
    if table.load == "incremental" and table.window.column is None:
        yield table.declared.problem(
            ("load",), "incremental needs window.column, the time column that says which rows are new"
        )
    if table.lookback is not None and table.load == "snapshot":
        yield table.declared.problem(
            ("lookback",), "a snapshot is the whole table already; lookback is for load: incremental"
        )
    elif table.lookback is not None and table.lookback <= _LONGEST[table.window.grain]:
        yield table.declared.problem(
            ("lookback",),
            f"reads nothing again: longer than the {table.window.grain} of a partition is wanted",
        )
    if table.load == "snapshot" and isinstance(table.drift, DriftSpec):
        yield table.declared.problem(
            ("drift",), "a snapshot is of the moment when it was read, so another count later is no drift"
        )


def _columns(table: TableSpec, platform: PlatformSpec | None) -> Iterator[Problem]:
    if table.columns == "*":
        return
    targets = [plain_target(column.text) for column in table.columns if not isinstance(column, str)]
    yield from _twice(table, targets)
    yield from _partition_columns(table, targets, platform)
    if None in targets:
        return
    shards = table.read_from.shards
    known = {target for target in targets if target} | (
        {shards.identity.lower()} if shards and shards.identity else set()
    )
    for loc, name in _named_columns(table):
        if name.lower() not in known:
            yield table.declared.problem(loc, f"'{name}' is not in columns{did_you_mean(name, known)}")


def _twice(table: TableSpec, targets: list[str | None]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, target in enumerate(targets):
        if target and first.setdefault(target, index) != index:
            text = f"'{target}' is already columns[{first[target]}]; Hive ignores upper and lower case"
            yield table.declared.problem(("columns", index), text)


def _partition_columns(
    table: TableSpec, targets: list[str | None], platform: PlatformSpec | None
) -> Iterator[Problem]:
    names = table.partition.over(platform.partition) if platform else table.partition
    yield from _hour_column(table, table.window.grain, platform)
    used = {names.column} | ({names.hour_column} if table.window.grain == "hour" else set())
    for index, target in enumerate(targets):
        if target in used:
            text = f"'{target}' is the partition column; give it another name with AS"
            yield table.declared.problem(("columns", index), text)


def _hour_column(table: WarehouseTable, grain: Grain, platform: PlatformSpec | None) -> Iterator[Problem]:
    names = table.partition.over(platform.partition) if platform else table.partition
    if grain == "hour" and names.column == names.hour_column:
        text = f"the day and the hour cannot both be in column '{names.column}'"
        yield table.declared.problem(("partition", "column"), text)


def _named_columns(table: TableSpec) -> Iterator[tuple[Loc, str]]:
    for index, name in enumerate(table.key):
        yield ("key", index), name
    for index, name in enumerate(table.sensitive):
        yield ("sensitive", index), name
    for index, check in enumerate(table.checks):
        for loc, name in check.columns_at():
            yield written_at(table, index, check, loc), name


def _checks(table: WarehouseTable) -> Iterator[Problem]:
    seen = {ROW_COUNT_CHECK} if isinstance(table, TableSpec) else set()
    for index, check in enumerate(table.checks):
        if check.name in seen:
            text = f"a second check named '{check.name}'; give one of them another `name`"
            yield table.declared.problem(("checks", index, check.kind), text)
        seen.add(check.name)


def _collisions(tables: list[WarehouseTable]) -> Iterator[Problem]:
    first: dict[str, tuple[str, Declared]] = {}
    for table in tables:
        name, declared = first.setdefault(table.table.lower(), (table.table, table.declared))
        if declared is table.declared:
            continue
        where = declared.at("table").split()[0]
        if name == table.table:
            text = f"'{table.table}' is already declared in {where}"
        else:
            text = f"'{table.table}' is '{name}' of {where} to Hive, which ignores upper and lower case"
        yield table.declared.problem(("table",), text)


def _external(platform: PlatformSpec | None, tables: list[WarehouseTable]) -> Iterator[Problem]:
    if platform is None:
        return
    known = {table.table.lower(): table.declared for table in tables}
    seen: set[str] = set()
    for index, external in enumerate(platform.external):
        name = external.table.lower()
        if name in known:
            text = f"'{external.table}' is declared in {known[name].at('table').split()[0]}, and not external"
            yield platform.declared.problem(("external", index), text)
        if name in seen:
            yield platform.declared.problem(("external", index), f"'{external.table}' is there twice")
        seen.add(name)


def _without_model(tests: list[ModelTestSpec], models: set[Path]) -> Iterator[Problem]:
    for test in tests:
        if test.model_path not in models:
            yield test.declared.problem((), f"there is no model {test.model_path.name} beside it")


def _source_names(sources: list[Any]) -> Iterator[Problem]:
    for source in sources:
        if not source.name.replace("_", "").isalnum() or not source.name.isascii():
            text = f"the name '{source.name}', taken from the file, may hold letters, digits and _ only"
            yield source.declared.problem((), text)
