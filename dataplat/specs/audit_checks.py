"""What one audit file cannot know of itself piece by piece: names of loops, variables, tables and sources."""

import re
from collections.abc import Collection, Generator, Iterator, Sequence

from dataplat.specs.audit import RUNTIME_VARIABLES, AuditSpec, LoopComputed, ScheduleSpec
from dataplat.specs.problems import Loc, Problem, did_you_mean

TEMPLATE_VARIABLE = re.compile(r"\$\{([a-z_][a-z0-9_]*)\}")
_LOOP_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def check_audits(
    audits: Sequence[AuditSpec], sources: Collection[str], tables: Collection[str]
) -> Iterator[Problem]:
    """Yield the problems of audits.

    Args:
        audits: All of them.
        sources: Names of the files in sources/.
        tables: Every table that is loaded or made.
    """
    names = {table.name for audit in audits for schedule in audit.schedules for table in schedule.tables}
    for audit in audits:
        yield from _loops(audit)
        for index, schedule in enumerate(audit.schedules):
            here: Loc = ("schedules", index)
            known = yield from _loop_var(audit, schedule, here)
            yield from _templates(audit, schedule, here, {*RUNTIME_VARIABLES, *known})
            yield from _expectations(audit, schedule, here, names, sources, tables)
    yield from _twice(audits)


def loop_names(loop_var: str | None) -> tuple[str, ...]:
    """Return the names in ``a&b``.

    >>> loop_names("province & hour")
    ('province', 'hour')
    """
    return tuple(part.strip() for part in loop_var.split("&")) if loop_var else ()


def variables_in(text: str) -> set[str]:
    """Return the names of the template variables in a text."""
    return set(TEMPLATE_VARIABLE.findall(text))


def _loops(audit: AuditSpec) -> Iterator[Problem]:
    for name, loop in audit.loop_variables.items():
        here: Loc = ("loop_variables", name)
        if name in RUNTIME_VARIABLES:
            yield audit.declared.problem(here, f"{name} is filled in from the date, so it cannot be a loop")
        elif not _LOOP_NAME.fullmatch(name):
            yield audit.declared.problem(here, "expected a name of lower-case letters, digits and _")
        if isinstance(loop, LoopComputed):
            plain = {
                other for other, kind in audit.loop_variables.items() if not isinstance(kind, LoopComputed)
            }
            for unknown in sorted(variables_in(loop.value) - plain):
                text = f"${{{unknown}}} is no loop variable of values{did_you_mean(unknown, plain)}"
                yield audit.declared.problem((*here, "value"), text)


def _loop_var(audit: AuditSpec, schedule: ScheduleSpec, here: Loc) -> Generator[Problem, None, set[str]]:
    """Yield what is wrong with the loop, and return the names that it gives to templates."""
    names = loop_names(schedule.loop_var)
    for name in names:
        place = (*here, "loop_var")
        loop = audit.loop_variables.get(name)
        if loop is None:
            hint = did_you_mean(name, audit.loop_variables) or "; see loop_variables"
            yield audit.declared.problem(place, f"there is no loop variable '{name}'{hint}")
        elif isinstance(loop, LoopComputed):
            yield audit.declared.problem(place, f"'{name}' is computed: it follows from others by itself")
        elif name not in _used(audit, schedule):
            text = f"multiplies the schedule by '{name}', which is nowhere in it: the jobs would be equal"
            yield audit.declared.problem(place, text)
    if len(set(names)) < len(names):
        yield audit.declared.problem((*here, "loop_var"), "names one loop variable twice")
    computed = {
        name
        for name, loop in audit.loop_variables.items()
        if isinstance(loop, LoopComputed) and variables_in(loop.value) <= set(names)
    }
    return {*names, *computed}


def _used(audit: AuditSpec, schedule: ScheduleSpec) -> set[str]:
    """Return the variables in the texts of a schedule, and those that its computed ones are made of."""
    direct = set().union(*(variables_in(text) for _, text in _texts(schedule)))
    made_of = [
        variables_in(loop.value)
        for name, loop in audit.loop_variables.items()
        if isinstance(loop, LoopComputed) and name in direct
    ]
    return direct.union(*made_of)


def _templates(audit: AuditSpec, schedule: ScheduleSpec, here: Loc, known: set[str]) -> Iterator[Problem]:
    for loc, text in _texts(schedule):
        for name in sorted(variables_in(text) - known):
            hint = did_you_mean(name, known) or f"; known here are {', '.join(sorted(known))}"
            yield audit.declared.problem((*here, *loc), f"${{{name}}} is not known{hint}")


def _texts(schedule: ScheduleSpec) -> Iterator[tuple[Loc, str]]:
    for field in ("task_name", "interface_id", "platform_id", "partner_id"):
        yield (field,), getattr(schedule, field)
    for index, table in enumerate(schedule.tables):
        here: Loc = ("tables", index)
        for field in ("name", "hdfs_path", "partition_template"):
            yield (*here, field), getattr(table, field) or ""
        if table.expect is None:
            continue
        if table.expect.sql:
            yield (*here, "expect", "sql", "query"), table.expect.sql.query
        if table.expect.path:
            yield (*here, "expect", "path"), table.expect.path.path
        if table.expect.table:
            yield (*here, "expect", "table"), table.expect.table.name
            yield (*here, "expect", "table"), table.expect.table.partition_template or ""


def _expectations(
    audit: AuditSpec,
    schedule: ScheduleSpec,
    here: Loc,
    names: Collection[str],
    sources: Collection[str],
    tables: Collection[str],
) -> Iterator[Problem]:
    for index, table in enumerate(schedule.tables):
        expect = table.expect
        if expect is None:
            continue
        place: Loc = (*here, "tables", index, "expect")
        wanted: list[tuple[Loc, str, str, Collection[str]]] = []
        if expect.sql:
            wanted.append(((*place, "sql", "source"), "source", expect.sql.source, sources))
        if expect.table:
            wanted.append(((*place, "table"), "audited table", expect.table.name, names))
        if expect.ledger:
            wanted.append(((*place, "ledger"), "table", expect.ledger, tables))
        for loc, kind, name, known in wanted:
            if name not in known:
                text = f"there is no {kind} '{name}'{did_you_mean(name, known)}"
                yield audit.declared.problem(loc, text)


def _twice(audits: Sequence[AuditSpec]) -> Iterator[Problem]:
    """A result is known by task, table and batch: two tables of one task and name would be one."""
    seen: dict[tuple[str, str, str, str], str] = {}
    for audit in audits:
        for index, schedule in enumerate(audit.schedules):
            for number, table in enumerate(schedule.tables):
                key = (schedule.task_name, schedule.platform_id, schedule.loop_var or "", table.name)
                loc: Loc = ("schedules", index, "tables", number, "name")
                if key in seen:
                    text = f"{table.name} of task {schedule.task_name} is audited already, at {seen[key]}"
                    yield audit.declared.problem(loc, text)
                else:
                    seen[key] = audit.declared.at(*loc)
