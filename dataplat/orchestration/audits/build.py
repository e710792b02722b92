"""The definitions of audits: external assets with partitioned checks, the job ``audit``, and the sensors.

Only platforms with audits import this. What counts files is imported by the runs that count.

A check of an external table can be executed from the UI: it audits the partition again. The job audits what
its configuration names: tasks, or all tables, or some of them, at a date.
"""

import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from dataplat.audit.outcome import COUNTED, EXPECTED
from dataplat.orchestration.audits.sensor import build_audit_sensors
from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.orchestration.partitions import partitions_from
from dataplat.settings import Settings
from dataplat.specs import Catalog
from dataplat.specs.audited import AuditedTable

if TYPE_CHECKING:
    from dataplat.orchestration.audits.body import AuditBody
    from dataplat.plan.audit_selection import AuditRequest

AUDIT, COUNT_ROWS = "audit", "count_rows"
RETRY = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)
CHECKS = {
    COUNTED: "The files of every task and loop value that make the partition were all counted.",
    EXPECTED: "No comparison of an audit speaks against the rows.",
}


class FinishedConfig(dg.Config):
    """One end of one batch of a task."""

    task_name: str = Field(description="The task.")
    period_type: str = Field("", description="hourly, daily or monthly, if it is known.")
    batch_no: str = Field("", description="YYYYMMDDHH, YYYYMMDD or YYYYMM, if it is known.")
    end_time: str = Field("", description="When it ended, if that is known.")


class AuditConfig(dg.Config):
    """What is audited; without tasks, every table or those that are named."""

    audit: str = Field("", description="A file in audits/; empty for the only one there.")
    tables: list[str] = Field([], description="Only these tables, by name or by external.")
    date: str = Field("", description="YYYYMMDD; empty for the date that the period says.")
    tasks: list[str] = Field([], description="Only these tasks.")
    finished: list[FinishedConfig] = Field(
        [], description="Only these ends of tasks; the sensor fills it in."
    )


class AuditDefinitions:
    """What a platform with audits adds to its definitions."""

    def __init__(
        self, settings: Settings, catalog: Catalog, gatekeeper: Gatekeeper, environ: Mapping[str, str]
    ) -> None:
        self._settings, self._catalog = settings, catalog
        self._gatekeeper, self._environ = gatekeeper, environ

    def assets(self) -> list[dg.AssetSpec]:
        """Return the external tables that are audited."""
        return [
            dg.AssetSpec(
                dg.AssetKey(list(one.external_path)),
                partitions_def=self._partitions(one),
                group_name="external",
                kinds={"external"},
                metadata={"audit": one.place},
            )
            for one in self._catalog.audited.values()
        ]

    def checks(self) -> list[dg.AssetChecksDefinition]:
        """Return their checks; executing one audits the partition."""
        with warnings.catch_warnings():
            # Known and pinned: partitions on checks are not final in Dagster 1.13.
            warnings.simplefilter("ignore", dg.PreviewWarning)
            warnings.simplefilter("ignore", dg.BetaWarning)
            return [self._checks_of(one) for one in self._catalog.audited.values()]

    def jobs(self) -> list[dg.JobDefinition]:
        """Return the job that audits what its configuration names."""
        body = self._body

        @dg.op(name=COUNT_ROWS, retry_policy=RETRY, description="Counts tables that others make.")
        def count_rows(
            context: dg.OpExecutionContext, config: AuditConfig
        ) -> Iterator[dg.AssetCheckEvaluation | dg.Output[Any]]:
            from dataplat.orchestration.audits.body import fail_if_bad
            from dataplat.orchestration.audits.record import check_events

            report, standings = body().carry_out(context, config.audit, _request(config))
            yield from check_events(context.instance, standings)
            fail_if_bad(report)
            yield dg.Output(None)

        @dg.job(name=AUDIT, description="Count the tables that others make, and write down what was found.")
        def audit() -> None:
            count_rows()

        return [audit]

    def sensors(self, jobs: list[dg.JobDefinition]) -> list[dg.SensorDefinition]:
        """Return a sensor for each audit that asks for one."""
        return build_audit_sensors(self._catalog, jobs[0], self._body, COUNT_ROWS)

    def _body(self) -> "AuditBody":
        from dataplat.orchestration.audits.body import AuditBody

        return AuditBody(self._settings, self._catalog, self._environ, lambda: self._gatekeeper.ledger)

    def _partitions(self, one: AuditedTable) -> dg.PartitionsDefinition[str]:
        return partitions_from(one.grain, self._catalog.platform.start, self._catalog)

    def _checks_of(self, one: AuditedTable) -> dg.AssetChecksDefinition:
        key, partitions, body = dg.AssetKey(list(one.external_path)), self._partitions(one), self._body
        specs = [
            dg.AssetCheckSpec(name, asset=key, blocking=True, partitions_def=partitions, description=text)
            for name, text in CHECKS.items()
        ]

        @dg.multi_asset_check(specs=specs, name="__".join(("audit", *one.external_path)))
        def audit_partition(context: dg.AssetCheckExecutionContext) -> Iterator[Any]:
            from dataplat.orchestration.audits.body import fail_if_bad
            from dataplat.orchestration.audits.record import check_events
            from dataplat.plan.audit_selection import request_for_partitions

            op, carrier = context.op_execution_context, body()
            if not op.has_partition_key and not op.has_partition_key_range:
                raise dg.Failure(f"{one.table}: choose the partition that is audited", allow_retries=False)
            schedules = carrier.setting(self._catalog.audits[one.audit]).schedules
            request = request_for_partitions(schedules, one.table, list(op.partition_keys))
            report, standings = carrier.carry_out(op, one.audit, request)
            yield from check_events(op.instance, standings)
            for spec in specs:
                yield dg.Output(None, output_name=spec.get_python_identifier())
            fail_if_bad(report)

        return audit_partition


def _request(config: AuditConfig) -> "AuditRequest":
    from dataplat.plan.audit_selection import AuditRequest
    from dataplat.plan.finished_tasks import FinishedTask

    return AuditRequest(
        tasks=tuple(config.tasks),
        skip_task_list=True,
        finished=tuple(
            FinishedTask(
                *(one.task_name, one.period_type, one.batch_no),
                datetime.fromisoformat(one.end_time) if one.end_time else None,
            )
            for one in config.finished
        ),
        tables=tuple(config.tables),
        date_option=config.date or None,
    )
