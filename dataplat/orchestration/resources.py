"""What runs are handed: the platform, and Spark as ``dagster-pyspark`` users know it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from dataplat.settings import Settings
from dataplat.specs import Catalog

if TYPE_CHECKING:
    from dataplat.lifecycle.platform import Platform
    from dataplat.orchestration.spark_resource import SparkEngineResource


def build_resources(
    settings: Settings, catalog: Catalog, environ: Mapping[str, str]
) -> dict[str, dg.ResourceDefinition]:
    """Return the resources of every run: ``platform`` and ``spark``.

    Spark and the ledger are imported and opened by the first asset that asks, not by this.
    """

    @dg.resource(description="Catalog, engines, ledger and sources of this home.")
    def platform(_: dg.InitResourceContext) -> "Iterator[Platform]":
        from dataplat.lifecycle.platform import Platform

        with Platform(settings, catalog, environ) as opened:
            yield opened

    @dg.resource(
        description="Spark session of the default engine, as a LazyPySparkResource.",
        required_resource_keys={"platform"},
    )
    def spark(context: dg.InitResourceContext) -> "SparkEngineResource":
        from dataplat.orchestration.spark_resource import SparkEngineResource

        return SparkEngineResource.of(context.resources.platform)

    return {"platform": platform, "spark": spark}
