"""The old auditor's ``config.yaml`` as a file of ``config/audits/``.

Names and meanings are the same, so nearly everything stays as it is. What differs is moved (a loop that is
written into its schedule becomes one of ``loop_variables``) or spelled anew (``ORC``, ``text``), and what has
no place here is left out and said: silence would look like a conversion.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from dataplat.specs.audit import AuditDefaults, AuditLimits, AuditSpec, AuditTableSpec, ScheduleSpec

_FORMATS = {"text": "textfile", "txt": "textfile", "csv": "textfile", "sequence": "sequencefile"}


@dataclass(frozen=True)
class ConvertedAudit:
    """The content of the new file, and what was changed or left out, in words."""

    content: dict[str, Any]
    notes: tuple[str, ...]


def convert_audit(old: Mapping[str, Any]) -> ConvertedAudit:
    """Return an old configuration in the new form. Never raises for its content: ``check`` judges the result.

    >>> old = {"schedules": [{"task_name": "t", "tables": []}], "mysql": {}}
    >>> convert_audit(old).notes
    ('mysql: has no place in an audit, and was left out',)
    """
    notes: list[str] = []
    loops = dict(old.get("loop_variables") or {})
    content: dict[str, Any] = {}
    for name, model in (("defaults", AuditDefaults), ("limits", AuditLimits)):
        if isinstance(old.get(name), Mapping):
            content[name] = _kept(old[name], model, name, notes)
    schedules = [
        _schedule(schedule, f"schedules[{index}]", loops, notes)
        if isinstance(schedule, Mapping)
        else schedule
        for index, schedule in enumerate(old.get("schedules") or [])
    ]
    if loops:
        content["loop_variables"] = loops
        notes += [f"loop_variables.{name}: {text}" for name, loop in loops.items() if (text := _range(loop))]
    content["schedules"] = schedules
    for name in old:
        if name not in AuditSpec.model_fields:
            notes.append(f"{name}: has no place in an audit, and was left out")
    return ConvertedAudit(content, tuple(notes))


def _range(loop: object) -> str:
    """Return what to look at in a range: whether its end is one of its values is easily mistaken."""
    if not isinstance(loop, Mapping) or loop.get("type") != "range":
        return ""
    return f"its last value is {loop.get('end')}, please look whether it was so"


def _schedule(old: Mapping[str, Any], place: str, loops: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    schedule = _kept(old, ScheduleSpec, place, notes)
    if isinstance(schedule.get("loop_var"), Mapping):
        schedule["loop_var"] = "&".join(_hoisted(schedule["loop_var"], place, loops, notes))
    if isinstance(schedule.get("tables"), list):
        schedule["tables"] = [
            _table(table, f"{place}.tables[{index}]", notes) if isinstance(table, Mapping) else table
            for index, table in enumerate(schedule["tables"])
        ]
    return schedule


def _hoisted(
    written: Mapping[str, Any], place: str, loops: dict[str, Any], notes: list[str]
) -> Iterator[str]:
    """Move loops out of a schedule; two of one name and different values get different names."""
    for name, loop in written.items():
        free, number = name, 1
        while loops.setdefault(free, loop) != loop:
            number += 1
            free = f"{name}_{number}"
        if free != name:
            notes.append(f"{place}.loop_var: {name} is called {free}, write ${{{free}}} in this schedule")
        if not (isinstance(loop, Mapping) and loop.get("type") == "computed"):
            yield free


def _table(old: Mapping[str, Any], place: str, notes: list[str]) -> dict[str, Any]:
    table = _kept(old, AuditTableSpec, place, notes)
    written = table.get("format")
    if isinstance(written, str):
        table["format"] = _FORMATS.get(written.lower(), written.lower())
        if table["format"] != written:
            notes.append(f"{place}.format: {written} is called {table['format']} here")
    return table


def _kept(old: Mapping[str, Any], model: type[BaseModel], place: str, notes: list[str]) -> dict[str, Any]:
    for name in old:
        if name not in model.model_fields:
            notes.append(f"{place}.{name}: has no place here, and was left out")
    return {name: value for name, value in old.items() if name in model.model_fields and value is not None}
