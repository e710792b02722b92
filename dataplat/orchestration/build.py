"""From a catalog to Dagster's definitions."""

import warnings
from collections.abc import Mapping

import dagster as dg

from dataplat.lifecycle.udfs import ModelUdfs
from dataplat.orchestration.automation import Automation, build_automation_sensors
from dataplat.orchestration.factories.drift import build_drift_job, build_drift_sensors
from dataplat.orchestration.factories.models import build_model_asset
from dataplat.orchestration.factories.recheck import build_recheck_job
from dataplat.orchestration.factories.tables import build_table_asset
from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.orchestration.lateness import build_lateness_sensors
from dataplat.orchestration.readiness import build_external_assets, build_readiness_sensors
from dataplat.orchestration.resources import build_resources
from dataplat.orchestration.schedules import build_schedules
from dataplat.plan.models.graph import ModelGraph
from dataplat.settings import Settings
from dataplat.specs import Catalog


def build_definitions(settings: Settings, catalog: Catalog, environ: Mapping[str, str]) -> dg.Definitions:
    """Return the definitions of a whole platform. Pure but for what Dagster itself does.

    Steps of a run share one process and one Spark session (``in_process_executor``); what runs side by
    side are runs, bounded by the queue and by one pool for each source.
    """
    graph = _graph(settings, catalog)
    gatekeeper = Gatekeeper(catalog, graph, environ)
    automation = Automation(catalog, graph, gatekeeper)
    tables = [build_table_asset(catalog, spec) for spec in catalog.tables.values()]
    udfs = ModelUdfs(catalog)
    models = [
        build_model_asset(catalog, graph, spec, automation.condition_of(spec), udfs.sha(graph, spec))
        for spec in catalog.models.values()
    ]
    with warnings.catch_warnings():
        # Known and pinned: sensors whose conditions the code server evaluates are not final in Dagster 1.13.
        warnings.simplefilter("ignore", dg.BetaWarning)
        sensors = build_automation_sensors(catalog)
    sensors += build_readiness_sensors(catalog, gatekeeper, environ)
    sensors += build_lateness_sensors(catalog, gatekeeper)
    sensors += build_drift_sensors(catalog, gatekeeper)
    external, checks = build_external_assets(catalog), []
    jobs = [build_recheck_job(), build_drift_job()]
    if catalog.audits:
        from dataplat.orchestration.audits.build import AuditDefinitions

        audits = AuditDefinitions(settings, catalog, gatekeeper, environ)
        audit_jobs = audits.jobs()
        external, jobs, checks = [*external, *audits.assets()], [*jobs, *audit_jobs], audits.checks()
        sensors += audits.sensors(audit_jobs)
    return dg.Definitions(
        assets=[*tables, *models, *external],
        asset_checks=checks,
        jobs=jobs,
        schedules=build_schedules(catalog, gatekeeper),
        sensors=sensors,
        resources=build_resources(settings, catalog, environ),
        executor=dg.in_process_executor,
    )


def _graph(settings: Settings, catalog: Catalog) -> ModelGraph:
    if not catalog.models:
        return ModelGraph({})
    from dataplat.lifecycle.kept_graph import kept_graph

    return kept_graph(catalog, settings.home)
