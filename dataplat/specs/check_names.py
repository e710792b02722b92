"""What the checks of one table say about others: tables and columns that must exist there."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dataplat.specs.checks import CheckSpec, VolumeCheck
from dataplat.specs.columns_text import plain_target
from dataplat.specs.model import ModelSpec
from dataplat.specs.platform import ExternalSpec
from dataplat.specs.problems import Loc, Problem, did_you_mean
from dataplat.specs.table import TableSpec

AnyTable = TableSpec | ModelSpec


def written_at(table: AnyTable, index: int, check: CheckSpec, loc: Loc) -> Loc:
    """Return where in the file a key of a check is: the short form leaves the key out."""
    root: Loc = ("checks", index, check.kind)
    long_form = (*root, *loc[:1]) in table.declared.lines
    return (*root, *loc) if long_form or loc[:1] != (check.short_form,) else (*root, *loc[1:])


def check_references(
    tables: Sequence[AnyTable], external: Sequence[ExternalSpec], files: Mapping[str, set[Path]]
) -> list[Problem]:
    """Return what is wrong with the tables and columns of others that checks name.

    Args:
        tables: All tables that are valid in themselves.
        external: Tables that somebody else makes.
        files: All files by kind. While one that declares a table is broken, no table is called unknown.
    """
    known = {table.table: _columns(table) for table in tables}
    known |= {one.table: {name.lower() for name in one.columns} or None for one in external}
    complete = len(tables) == len(files["table"]) + len(files["model"])
    problems: list[Problem] = []
    for table in tables:
        for index, check in enumerate(table.checks):
            problems += _grain(table, index, check)
            if complete:
                problems += _tables(table, index, check, known)
            problems += _columns_there(table, index, check, known)
    return problems


def _grain(table: AnyTable, index: int, check: CheckSpec) -> Iterator[Problem]:
    if isinstance(check, VolumeCheck) and check.same_weekday and table.window.grain == "month":
        loc = written_at(table, index, check, ("same_weekday",))
        yield table.declared.problem(loc, "a month has no weekday; compare `against` earlier partitions")


def _tables(
    table: AnyTable, index: int, check: CheckSpec, known: Mapping[str, set[str] | None]
) -> Iterator[Problem]:
    named = [*check.tables_at()]
    if not isinstance(check.blocks, str):
        named += [(("blocks", position), name) for position, name in enumerate(check.blocks)]
    for loc, name in named:
        if name not in known:
            hint = did_you_mean(name, known) or "; tables of others are listed as `external` in platform.yaml"
            where = written_at(table, index, check, loc)
            yield table.declared.problem(where, f"there is no table '{name}'{hint}")


def _columns_there(
    table: AnyTable, index: int, check: CheckSpec, known: Mapping[str, set[str] | None]
) -> Iterator[Problem]:
    for loc, other, name in check.columns_there_at():
        columns = known.get(other)
        if columns and name.lower() not in columns:
            text = f"'{name}' is not in columns of {other}{did_you_mean(name, columns)}"
            yield table.declared.problem(written_at(table, index, check, loc), text)


def _columns(table: AnyTable) -> set[str] | None:
    """Return the columns of a table, nothing if only its SQL or its source knows them."""
    if not isinstance(table, TableSpec) or isinstance(table.columns, str):
        return None
    targets = [plain_target(column.text) for column in table.columns]
    if None in targets:
        return None
    shards = table.read_from.shards
    identity = {shards.identity.lower()} if shards and shards.identity else set()
    return {target for target in targets if target} | identity
