"""Schedules with a loop become many: one for each value, or for each pair of ``a&b``.

31 provinces times 24 hours are 744. Loop variables are filled in here, in every text of the schedule; the
variables of the date stay, and are filled in for each job.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from dataplat.specs.audit import AuditSpec, LoopComputed, LoopEnum, LoopRange, LoopVariable, ScheduleSpec
from dataplat.specs.audit_checks import TEMPLATE_VARIABLE, loop_names, variables_in
from dataplat.specs.base import Spec

S = TypeVar("S", bound=Spec)


def expand_schedules(audit: AuditSpec) -> Iterator[ScheduleSpec]:
    """Yield the schedules of an audit, in their order, each loop filled in; the last name runs fastest."""
    for schedule in audit.schedules:
        names = loop_names(schedule.loop_var)
        for values in itertools.product(*(_values(audit.loop_variables[name]) for name in names)):
            filled = dict(zip(names, values, strict=True))
            yield fill_spec(schedule, filled | _computed(audit.loop_variables, filled))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with the variables that have a value; the others stay.

    >>> fill("/t/${province}/ds=${data_date}", {"province": "gd"})
    '/t/gd/ds=${data_date}'
    """
    return TEMPLATE_VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)


def fill_spec(spec: S, values: Mapping[str, str]) -> S:
    """Return the spec with ``fill`` done to every text in it, however deep."""
    if not values:
        return spec
    filled = {name: _filled(getattr(spec, name), values) for name in type(spec).model_fields}
    return spec.model_copy(update=filled)


def _values(loop: LoopVariable) -> tuple[str, ...]:
    if isinstance(loop, LoopRange):
        numbers = range(loop.start, loop.end + 1, loop.step)
        return tuple(str(number).zfill(loop.pad) for number in numbers)
    assert isinstance(loop, LoopEnum), "a computed variable multiplies nothing; the configuration is checked"
    return loop.values


def _computed(loops: Mapping[str, LoopVariable], values: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, loop in loops.items():
        if isinstance(loop, LoopComputed) and variables_in(loop.value) <= values.keys():
            text = fill(loop.value, values)
            found[name] = loop.lookup.get(text, text)
    return found


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, tuple):
        return tuple(_filled(item, values) for item in value)
    return fill_spec(value, values) if isinstance(value, Spec) else value
