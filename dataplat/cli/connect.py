"""``check --connect``: use everything that the configuration names, once, and say how each of it answers.

Nothing is left behind: sources are only read, the warehouse's probe file is deleted again. The ledger, the
table of results and Dagster's home are made where they do not exist, as the first use would make them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dataplat.cli.failures import describe
from dataplat.cli.output import size
from dataplat.cli.session import Session
from dataplat.errors import DataplatError

if TYPE_CHECKING:
    from dataplat.lifecycle.audits.setting import AuditSetting
    from dataplat.sources.mysql import SourceConnection
    from dataplat.specs import SourceSpec, TableSpec


@dataclass(frozen=True)
class Probe:
    """How one part answered: what was found, or the error."""

    name: str
    found: str = ""
    error: DataplatError | None = None

    def render(self) -> str:
        """Return one line for a part that answers, the whole message for one that does not."""
        if self.error is None:
            return f"ok      {self.name}: {self.found}"
        return f"failed  {self.name}: " + _without_subject(self.error).replace("\n", "\n      ")

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        error = None if self.error is None else describe(self.error)
        return {"name": self.name, "ok": self.error is None, "found": self.found, "error": error}


def _without_subject(error: DataplatError) -> str:
    return error.render().removeprefix(f"{error.subject}: ")


def try_everything(session: Session) -> Iterator[Probe]:
    """Yield how each part answers, in the order in which a load needs them; a failure stops nothing."""
    for name in session.catalog.sources:
        reachable = _try(f"source {name}", partial(_try_source, session, name))
        yield reachable
        if reachable.error is None:
            yield from _try_tables(session, name)
    yield _try("warehouse", partial(_try_warehouse, session))
    yield _try("ledger", partial(_try_ledger, session))
    for name in session.catalog.audits:
        yield from _try_audit(session, name)
    for name in session.catalog.platform.engine_names:
        session.output.note(f"engine {name}: starting, or joining one that runs")
        yield _try(f"engine {name}", partial(_try_engine, session, name))
    yield _try("dagster", partial(_try_dagster, session))


def _try(name: str, work: Callable[[], str]) -> Probe:
    try:
        return Probe(name, work())
    except DataplatError as error:
        return Probe(name, error=error)


def _try_source(session: Session, name: str) -> str:
    from dataplat.sources.mysql import connect_source
    from dataplat.specs import SecretResolver

    source = session.catalog.sources[name]
    with connect_source(source, SecretResolver(session.environ)) as connection:
        return _describe_server(source, connection)


def _describe_server(source: "SourceSpec", connection: "SourceConnection") -> str:
    version, zone, system = connection.rows("SELECT VERSION(), @@global.time_zone, @@system_time_zone")[0]
    clock = f"{zone} ({system})" if zone == "SYSTEM" else zone
    return (
        f"{source.user} at {source.host}:{source.port}, {version}, its clock {clock}, read as {source.zone}"
    )


def _try_tables(session: Session, source: str) -> Iterator[Probe]:
    tables = [table for table in session.catalog.tables.values() if source in table.all_sources]
    probes = [_try(table.table, partial(_survey, session, table)) for table in tables]
    yield from (probe for probe in probes if probe.error is not None)
    good = sum(probe.error is None for probe in probes)
    if good:
        yield Probe(f"tables of {source}", f"{good} of {len(tables)} can be read as declared")


def _survey(session: Session, spec: "TableSpec") -> str:
    from dataplat.lifecycle.source_table import SourceTable
    from dataplat.plan.partitions import latest_partition
    from dataplat.specs import SecretResolver

    catalog = session.catalog
    key = latest_partition(spec.window.grain, now=session.now(), zone=catalog.platform.zone)
    table = SourceTable(
        spec,
        catalog.instances_of(spec),
        spec.partition,
        catalog.platform.timezone,
        SecretResolver(session.environ),
    )
    survey = table.survey([key])
    return f"{len(survey.shards)} physical, {len(survey.shape.columns)} columns"


def _try_warehouse(session: Session) -> str:
    from dataplat.storage import free_bytes, probe_folder

    warehouse = session.catalog.platform.warehouse
    probe_folder(warehouse)
    free = free_bytes(warehouse)
    return f"{warehouse}, written and read back" + ("" if free is None else f", {size(free)} free")


def _try_ledger(session: Session) -> str:
    from dataplat.ledger.migrate import HEAD

    return f"{session.ledger.url}, revision {HEAD}"


def _try_audit(session: Session, name: str) -> Iterator[Probe]:
    from dataplat.cli.audit import setting_of

    setting = setting_of(session, session.catalog.audits[name])
    if setting.task_list is not None:
        yield _try(f"tasks of audit {name}", partial(_try_tasks, setting))
    yield _try(f"results of audit {name}", partial(_try_results, setting))
    setting.close()


def _try_tasks(setting: "AuditSetting") -> str:
    from datetime import timedelta

    from dataplat.plan.watermark import ScanWindow

    assert setting.task_list is not None
    now = setting.now()
    tasks = setting.task_list.finished(ScanWindow(now - timedelta(hours=24), now))
    names = {schedule.task_name for schedule in setting.schedules}
    known = sum(task.task_name in names for task in tasks)
    ends = "with" if any(task.end_time for task in tasks) else "without"
    return f"{len(tasks)} ended within 24 h, {ends} their ends; {known} are configured"


def _try_results(setting: "AuditSetting") -> str:
    setting.results.prepare()
    return f"audit_result in {setting.results.place}"


def _try_engine(session: Session, name: str) -> str:
    engine = session.platform.engine(name)
    tables = engine.probe()
    where = engine.status().url or engine.spec.master
    return f"{engine.spec.mode} at {where}, its catalog has {tables} databases"


def _try_dagster(session: Session) -> str:
    instance = session.instance
    runs = instance.get_runs_count()
    return f"{session.settings.dagster_home}, {runs} runs so far"
