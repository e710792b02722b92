"""How a source differs from what was agreed to, and from the table in Hive; each difference with its class.

* **safe**: whatever the table holds stays exact. A new column, a longer text, a narrower number, a column
  that is not read.
* **lossy**: the source has values now that the table's column cannot hold without loss: a wider number.
* **breaking**: a column that is read is gone, or holds another kind of value.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataplat.errors import SchemaConflictError
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.fitting import fit_columns
from dataplat.plan.layouts import Layout, all_columns
from dataplat.plan.types import map_type
from dataplat.plan.widening import widen, widen_all
from dataplat.specs import TableSpec

Severity = Literal["safe", "lossy", "breaking"]

_BETWEEN = " / "


@dataclass(frozen=True)
class SchemaDifference:
    """One column that is not what it was.

    Attributes:
        column: Its name, at the source against the lock, in the table against Hive.
        against: What the source is compared with.
        was: Its type there; empty if it is not there.
        now: Its type as the source has it, or as it is planned; empty if it is gone.
        severity: ``safe``, ``lossy`` or ``breaking``.
        reason: Why, in a few words.
    """

    column: str
    against: Literal["lock", "Hive"]
    was: str
    now: str
    severity: Severity
    reason: str


def source_ddl(layouts: Sequence[Layout]) -> dict[str, str]:
    """Return the type of each column of a source table; all of them, by name, where its shards differ.

    >>> source_ddl(())
    {}
    """
    types: dict[str, dict[str, None]] = {column.name.lower(): {} for column in all_columns(layouts)}
    for layout in layouts:
        for column in layout.columns:
            types[column.name.lower()][column.mysql_type] = None
    return {column.name: _BETWEEN.join(sorted(types[column.name.lower()])) for column in all_columns(layouts)}


def names_used(spec: TableSpec) -> set[str] | None:
    """Return every word of a table's SQL, in lower case: no other column is read. ``None`` is all columns."""
    if isinstance(spec.columns, str):
        return None
    texts = [*(column.text for column in spec.columns), spec.where or "", spec.window.column or ""]
    if spec.split is not None:
        texts.append(spec.split.column or "")
    return {word.lower() for text in texts for word in re.findall(r"[\w$]+", text)}


def compare_with_lock(
    locked: Mapping[str, str],
    ddl: Mapping[str, str],
    used: Collection[str] | None,
    *,
    may_lack: bool = False,
) -> tuple[SchemaDifference, ...]:
    """Return how the source's columns differ from those that were agreed to.

    Args:
        locked: Types by column, as agreed.
        ddl: Types by column, as they are.
        used: Words of the table's SQL, from ``names_used``.
        may_lack: Whether less than what was agreed is no difference: the shards of one partition may lack
            a column, or one of the types that it has.
    """
    return tuple(_with_lock(locked, ddl, used, may_lack))


def compare_with_hive(
    hive: Sequence[HiveColumn] | None, planned: Sequence[HiveColumn], *, may_lack: bool = False
) -> tuple[SchemaDifference, ...]:
    """Return how the planned columns differ from the table's; nothing where there is no table yet."""
    return () if hive is None else tuple(_with_hive(hive, planned, may_lack))


def refused(
    differences: Sequence[SchemaDifference], policy: Literal["evolve", "refuse"]
) -> tuple[SchemaDifference, ...]:
    """Return the differences that a load does not take by itself: all but safe ones, or any from the lock."""
    return tuple(
        one for one in differences if one.severity != "safe" or (policy == "refuse" and one.against == "lock")
    )


def require_agreed(spec: TableSpec, lock_file: str, differences: Sequence[SchemaDifference]) -> None:
    """Return if a load may take all differences from the lock by itself.

    Raises:
        SchemaConflictError: It may not; the message names each of them. Nothing was read.
    """
    found = refused(differences, spec.schema_policy)
    if not found:
        return
    facts = [
        (
            f"column '{one.column}'",
            f"{one.was or 'absent'} as agreed, {one.now or 'absent'} now: {one.severity}, {one.reason}",
        )
        for one in found
    ]
    raise SchemaConflictError(
        spec.table,
        f"the source is not what {lock_file} agrees to",
        facts=[
            *facts,
            ("policy", f"{spec.schema_policy} ({spec.declared.at('schema')})"),
        ],
        effect="nothing was read, and what is visible stays visible",
        next_steps=[f"dataplat schema diff {spec.table}", f"dataplat schema accept {spec.table}"],
    )


def _with_lock(
    locked: Mapping[str, str], ddl: Mapping[str, str], used: Collection[str] | None, may_lack: bool
) -> Iterator[SchemaDifference]:
    now = {name.lower(): kind for name, kind in ddl.items()}
    known = {name.lower() for name in locked}
    for name, was in locked.items():
        kind = now.get(name.lower(), "")
        if kind == was or (may_lack and set(kind.split(_BETWEEN)) <= {*was.split(_BETWEEN), ""}):
            continue
        if used is not None and name.lower() not in used:
            severity, reason = _as_is("safe", "not read")
        elif not kind:
            severity, reason = _as_is("breaking", "gone")
        else:
            severity, reason = _compare_types(_hive_of(was), _hive_of(kind))
        yield SchemaDifference(name, "lock", was, kind, severity, reason)
    for name, kind in ddl.items():
        if name.lower() in known:
            continue
        read = used is None or name.lower() in used
        if read and _hive_of(kind) is None:
            yield SchemaDifference(name, "lock", "", kind, "breaking", "no Hive type holds it")
        else:
            yield SchemaDifference(name, "lock", "", kind, "safe", "new" if read else "new, not read")


def _with_hive(
    hive: Sequence[HiveColumn], planned: Sequence[HiveColumn], may_lack: bool
) -> Iterator[SchemaDifference]:
    fit = fit_columns(hive, planned, may_lack=may_lack)
    for before, kept in zip(planned, fit.columns, strict=True):
        if before != kept:
            was, now = kept.hive_type, before.hive_type
            yield SchemaDifference(before.name, "Hive", was, now, "safe", "narrower than the table")
    for name, was, now in fit.change.changed:
        severity, reason = _compare_types(was, now)
        yield SchemaDifference(name, "Hive", was, now, severity, reason)
    for column in fit.change.missing:
        yield SchemaDifference(column.name, "Hive", column.hive_type, "", "breaking", "not planned any more")
    for column in fit.change.added:
        reason = "will be added, NULL in older partitions"
        yield SchemaDifference(column.name, "Hive", "", column.hive_type, "safe", reason)


def _as_is(severity: Severity, reason: str) -> tuple[Severity, str]:
    return severity, reason


def _compare_types(was: str | None, now: str | None) -> tuple[Severity, str]:
    """Return the class of a change between two Hive types; ``None`` is a type of the source without one."""
    if now is None:
        return "breaking", "no Hive type holds it"
    if was is None or was == now:
        return "safe", "stored alike"
    wide = widen(was, now)
    if wide is None:
        return "breaking", f"{was} becomes {now}"
    return ("safe", "narrower") if wide == was else ("lossy", f"{was} cannot hold every {now}")


def _hive_of(types: str) -> str | None:
    mapped = [map_type(kind) for kind in types.split(_BETWEEN)]
    return widen_all([kind.hive for kind in mapped if kind is not None]) if all(mapped) else None
