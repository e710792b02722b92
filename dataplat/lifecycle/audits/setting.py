"""What an audit works with, opened when it is first needed: its task list, its watermark, its results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from dataplat.ledger import Ledger, LedgerWatermark
from dataplat.ledger.audit_results import AuditResults
from dataplat.ledger.database import utc_now
from dataplat.ledger.results_database import connect_results
from dataplat.plan.audit_loops import expand_schedules
from dataplat.plan.watermark import WatermarkStore
from dataplat.settings import Settings
from dataplat.sources.task_lists import SqlTaskList, TaskList
from dataplat.specs import Catalog, SecretResolver
from dataplat.specs.audit import AuditSpec, ScheduleSpec
from dataplat.storage.hadoop_conf import default_file_system
from dataplat.storage.result_spool import ResultSpool
from dataplat.storage.watermark_file import WatermarkFile


@dataclass(frozen=True)
class AuditSetting:
    """One audit in its surroundings. Nothing is connected before something is asked.

    Attributes:
        audit: What is audited.
        catalog: The whole configuration.
        open_ledger: Gives the ledger, where all is kept that has no place of its own; called when needed.
        settings: Where this process finds things.
        environ: Stands before the configuration, see ``plan.audit_places``.
        hadoop_conf: ``--hadoop-conf-dir``, before ``HADOOP_CONF_DIR``.
        clock: Where all times come from.
    """

    audit: AuditSpec
    catalog: Catalog
    open_ledger: Callable[[], Ledger]
    settings: Settings
    environ: Mapping[str, str]
    hadoop_conf: Path | None = None
    clock: Callable[[], datetime] = utc_now

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger."""
        return self.open_ledger()

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the task list, and where business days begin."""
        tasks = self.audit.tasks
        return ZoneInfo(tasks.timezone) if tasks and tasks.timezone else self.catalog.platform.zone

    @cached_property
    def schedules(self) -> tuple[ScheduleSpec, ...]:
        """The schedules, with their loops filled in."""
        return tuple(expand_schedules(self.audit))

    @cached_property
    def secrets(self) -> SecretResolver:
        """Where passwords are found."""
        return SecretResolver(self.environ)

    @cached_property
    def task_list(self) -> TaskList | None:
        """Where it says which tasks have ended; none if that is not configured."""
        tasks = self.audit.tasks
        return None if tasks is None else SqlTaskList(tasks, self.zone, self.environ, self.audit.name)

    @cached_property
    def results(self) -> AuditResults:
        """Where results are written.

        Raises:
            SelectionError: It is not said where, or the URL is of no database that can be used.
        """
        if self.audit.results is None:  # MYSQL_HOST may be set for others: it fills in, and decides nothing
            return self.ledger.audit_results
        return connect_results(self.audit, self.environ, self.secrets, self.catalog.platform.timezone)

    @cached_property
    def spool(self) -> ResultSpool:
        """Where results wait for their database."""
        return ResultSpool(self.settings.home / "audit_spool" / self.audit.name)

    @cached_property
    def hadoop_conf_dir(self) -> Path | None:
        """Hadoop's configuration, if there is one."""
        found = self.hadoop_conf or self.settings.hadoop_conf_dir
        return found if found and found.is_dir() else None

    @cached_property
    def default_fs(self) -> str | None:
        """The file system of paths without a scheme; none is this machine."""
        return default_file_system(self.hadoop_conf_dir) if self.hadoop_conf_dir else None

    def watermark(self, path: Path | None = None) -> WatermarkStore:
        """Return where the watermark is kept: a file of the command line, else as configured."""
        written = self.audit.tasks.watermark_path if self.audit.tasks else None
        if path is None and written is None:
            return LedgerWatermark(self.ledger, f"audit {self.audit.name}")
        return WatermarkFile(path or self.settings.config_dir.parent / str(written), self.zone)

    def now(self) -> datetime:
        """The one clock, without its fractions: queries are asked in whole seconds."""
        return self.clock().replace(microsecond=0)

    def close(self) -> None:
        """Give back the connections to results of their own."""
        if "results" in self.__dict__ and self.audit.results is not None:
            self.results.close()
