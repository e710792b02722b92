"""Spark as ``dagster-pyspark`` users know it."""

from typing import Any

from dagster_pyspark import LazyPySparkResource
from pydantic import PrivateAttr

from dataplat.lifecycle.platform import Platform


class SparkEngineResource(LazyPySparkResource):
    """``spark_session`` of a named engine, for assets that people write themselves.

    A ``LazyPySparkResource`` in type and use. It differs where that falls short: the session comes from
    the shared engine, is replaced when the engine died, and is let go of when the run ends. The
    configuration that Dagster shows is empty, because the engine's own is in ``platform.yaml``.
    """

    spark_config: dict[str, Any] = {}  # noqa: RUF012 - a pydantic field of the base class
    engine: str = "default"
    _platform: Platform | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, platform: Platform, engine: str = "default") -> "SparkEngineResource":
        """Return the resource of one engine; nothing is started by it."""
        resource = cls(engine=engine)
        resource._platform = platform
        return resource

    def _init_session(self) -> None:
        assert self._platform is not None
        self._spark_session = self._platform.engine(self.engine).session()
