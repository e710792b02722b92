"""From a catalog to Dagster's definitions."""

from collections.abc import Mapping

import dagster as dg

from dataplat.orchestration.factories.tables import build_table_asset
from dataplat.orchestration.resources import build_resources
from dataplat.orchestration.schedules import build_schedules
from dataplat.settings import Settings
from dataplat.specs import Catalog


def build_definitions(settings: Settings, catalog: Catalog, environ: Mapping[str, str]) -> dg.Definitions:
    """Return the definitions of a whole platform. Pure but for what Dagster itself does.

    Steps of a run share one process and one Spark session (``in_process_executor``); what runs side by
    side are runs, bounded by the queue and by one pool for each source.
    """
    tables = [build_table_asset(catalog, spec) for spec in catalog.tables.values()]
    return dg.Definitions(
        assets=[*tables, *_build_models(settings, catalog)],
        schedules=build_schedules(catalog),
        resources=build_resources(settings, catalog, environ),
        executor=dg.in_process_executor,
    )


def _build_models(settings: Settings, catalog: Catalog) -> list[dg.AssetsDefinition]:
    if not catalog.models:
        return []
    from dataplat.lifecycle.kept_graph import kept_graph
    from dataplat.orchestration.factories.models import build_model_asset

    graph = kept_graph(catalog, settings.home)
    return [build_model_asset(catalog, graph, spec) for spec in catalog.models.values()]
