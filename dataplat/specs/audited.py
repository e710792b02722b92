"""External tables that audits count: which there are, and what their declarations must agree on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataplat.specs.audit import AuditSpec
from dataplat.specs.platform import PlatformSpec
from dataplat.specs.problems import Loc, Problem
from dataplat.specs.values import Grain

_GRAINS: dict[str, Grain] = {"minutely": "hour", "hourly": "hour", "daily": "day", "monthly": "month"}


@dataclass(frozen=True)
class AuditedTable:
    """A table of the metastore whose files an audit counts.

    Attributes:
        table: ``database.table``.
        grain: How much time one partition holds.
        audit: Name of the audit.
        place: Where it is declared first.
    """

    table: str
    grain: Grain
    audit: str
    place: str

    @property
    def external_path(self) -> tuple[str, ...]:
        """The asset of the table."""
        return ("external", *self.table.split("."))


def audited_tables(audits: Sequence[AuditSpec]) -> dict[str, AuditedTable]:
    """Return the external tables that audits count, by their name in lower case."""
    found: dict[str, AuditedTable] = {}
    for audit, loc, table, period in _declared(audits):
        if period in _GRAINS:
            one = AuditedTable(table, _GRAINS[period], audit.name, audit.declared.at(*loc))
            found.setdefault(table.lower(), one)
    return found


def check_audited(
    audits: Sequence[AuditSpec],
    platform: PlatformSpec | None,
    ours: Mapping[str, str],
    readiness: Mapping[str, str],
) -> Iterator[Problem]:
    """Yield what is wrong between audited external tables and everything else.

    Args:
        audits: All of them.
        platform: Its ``external`` may say the grain too.
        ours: Where each table of this platform is declared, by name in lower case.
        readiness: Where each readiness is declared, by the name of its table in lower case.
    """
    first = audited_tables(audits)
    written = {one.table.lower(): one for one in platform.external} if platform else {}
    for audit, loc, table, period in _declared(audits):
        problem, name = audit.declared.problem, table.lower()
        if period not in _GRAINS:
            text = "needs the period_type of its schedule: it says how much time a partition holds"
            yield problem(loc, text)
            continue
        if name in ours:
            yield problem(loc, f"'{table}' is declared in {ours[name]}: it is counted before it is visible")
        if name in readiness:
            text = f"'{table}' has a readiness in {readiness[name]}: one of them says when it may be read"
            yield problem(loc, text)
        known = first[name]
        if known.audit != audit.name:
            yield problem(loc, f"'{table}' is audited already, at {known.place}")
        elif known.grain != _GRAINS[period]:
            yield problem(
                loc, f"'{table}' is counted per {_GRAINS[period]} here, and per {known.grain} above"
            )
        elif name in written and written[name].grain not in (None, known.grain):
            found = written[name].grain
            yield problem(loc, f"'{table}' is counted per {known.grain}, and platform.yaml says {found}")


def _declared(audits: Sequence[AuditSpec]) -> Iterator[tuple[AuditSpec, Loc, str, str]]:
    for audit in audits:
        for index, schedule in enumerate(audit.schedules):
            for number, table in enumerate(schedule.tables):
                if table.external is not None:
                    loc: Loc = ("schedules", index, "tables", number, "external")
                    yield audit, loc, table.external, schedule.period_type or ""
