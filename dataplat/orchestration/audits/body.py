"""The body of audits in Dagster: one request is carried out, and Dagster is told what it found."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import dagster as dg

from dataplat.errors import DataplatError
from dataplat.ledger import Ledger
from dataplat.ledger.database import utc_now
from dataplat.lifecycle.audits.external import ExternalStanding
from dataplat.lifecycle.audits.run import AuditReport, AuditRun
from dataplat.lifecycle.audits.setting import AuditSetting
from dataplat.orchestration.audits.record import materialization
from dataplat.plan.audit_results import AuditResult
from dataplat.plan.audit_selection import AuditRequest
from dataplat.plan.watermark import WatermarkOptions
from dataplat.settings import Settings
from dataplat.specs import Catalog
from dataplat.specs.audit import AuditSpec

_SHOWN = 20


class AuditBody:
    """Carries out requests inside runs.

    Args:
        settings: Where a process finds things.
        catalog: The configuration.
        environ: Stands before it.
        open_ledger: Gives the ledger of the process.
        clock: Where all times come from.
    """

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        environ: Mapping[str, str],
        open_ledger: Callable[[], Ledger],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings, self._catalog, self._environ = settings, catalog, environ
        self._open_ledger, self._clock = open_ledger, clock

    def setting(self, audit: AuditSpec) -> AuditSetting:
        """Return an audit in the surroundings of this process."""
        return AuditSetting(
            *(audit, self._catalog, self._open_ledger, self._settings, self._environ), clock=self._clock
        )

    def carry_out(
        self, context: dg.OpExecutionContext, name: str, request: AuditRequest
    ) -> tuple[AuditReport, list[ExternalStanding]]:
        """Count, write down, and tell Dagster which partitions may be read.

        Raises:
            Failure: The audit could not be carried out at all.
        """
        setting = self.setting(self._audit(name))
        try:
            # The watermark of commands is none of a run's business: it was asked for these tasks.
            options = WatermarkOptions(enabled=False)
            run = AuditRun(setting, options, setting.watermark())
            plan = run.plan(request)
            for warning in plan.to_do.warnings:
                context.log.warning(warning)
            context.log.info("%d counts, %d tasks audited already", len(plan.to_do.jobs), plan.to_do.repeats)
            report = run.count(
                plan,
                lambda job, found: context.log.info(
                    "%s %s %s %d rows", job.table, job.path, found.status, found.rows
                ),
            )
        except DataplatError as error:
            raise dg.Failure(str(error), allow_retries=error.retryable) from error
        finally:
            setting.close()
        standings = list(report.external)
        for standing in standings:
            if standing.ready:
                context.log_event(materialization(standing))
        return report, standings

    def _audit(self, name: str) -> AuditSpec:
        known = self._catalog.audits
        if not name and len(known) == 1:
            return next(iter(known.values()))
        if name not in known:
            raise dg.Failure(
                f"there is no audit '{name}'; declared are {', '.join(known)}", allow_retries=False
            )
        return known[name]


def fail_if_bad(report: AuditReport) -> None:
    """Fail the step for what was not counted or is not as expected.

    Raises:
        Failure: With each of them. It may be tried again where a count failed, and not where rows are wrong.
    """
    if report.exit_code == 0:
        return
    told = list(_troubles(report))
    more = f"\nand {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    uncounted = any(one.status != "success" for one in report.results) or report.spooled > 0
    raise dg.Failure("\n".join(told[:_SHOWN]) + more, allow_retries=uncounted)


def _troubles(report: AuditReport) -> Iterator[str]:
    if report.trouble is not None:
        yield report.trouble.render()
    for one in report.results:
        if one.status != "success" or one.verdict in ("failed", "unknown"):
            yield _trouble(one)


def _trouble(one: AuditResult) -> str:
    return f"{one.table_name} {one.hdfs_path}: {one.verdict_text or f'{one.status} {one.error_msg}'}"
