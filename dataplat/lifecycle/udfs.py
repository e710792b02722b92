"""Which UDFs the models use: found once, and only if a model calls what Spark does not bring."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.spark_functions import SPARK_FUNCTIONS
from dataplat.specs import AnyTable, Catalog, ModelSpec, SqlCheck
from dataplat.specs.problems import spec_error
from dataplat.udfs import Udf
from dataplat.udfs.registry import find_udfs
from dataplat.udfs.source import fingerprint

_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)`?\s*\(")


@dataclass
class ModelUdfs:
    """The UDFs of a catalog. Modules are imported by the first model that may need one of them."""

    catalog: Catalog
    _versions: dict[str, str] = field(default_factory=dict)

    @cached_property
    def all(self) -> Mapping[str, Udf]:
        """Every UDF by its name.

        Raises:
            SpecError: With every module, object and file that is not as platform.yaml says.
        """
        found, problems = find_udfs(self.catalog.platform, self.catalog.config_dir.parent)
        if problems:
            raise spec_error(self.catalog.config_dir.name, problems)
        return found

    def called_in(self, sql: str) -> list[Udf]:
        """Return the UDFs that SQL may call; one that it only mentions in a comment too.

        Raises:
            SpecError: As ``all``; not asked for SQL that calls nothing but Spark's functions.
        """
        names = {name.lower() for name in _CALL.findall(sql)} - SPARK_FUNCTIONS
        return [udf for name, udf in self.all.items() if name in names] if names else []

    def called_by_checks(self, spec: AnyTable) -> list[Udf]:
        """Return the UDFs that the SQL of a table's checks may call.

        Raises:
            SpecError: As ``called_in``.
        """
        return self.called_in("\n".join(check.query for check in spec.checks if isinstance(check, SqlCheck)))

    def sha(self, graph: ModelGraph, spec: AnyTable) -> str:
        """Return the content hash of a table: another one when a UDF that its SQL calls has changed.

        Raises:
            SpecError: As ``called_in``; or the file of a UDF cannot be read.
        """
        if not isinstance(spec, ModelSpec):
            return self.catalog.sha(spec)
        called = graph.models[spec.table].functions
        names = [call.name for call in called if call.name in self.all] if called else []
        return self.catalog.sha(spec, [f"{name}@{self._version(name)}" for name in names])

    def _version(self, name: str) -> str:
        if name not in self._versions:
            self._versions[name] = fingerprint(self.all[name])
        return self._versions[name]
