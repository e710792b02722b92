"""Models and catalogs of a few lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataplat.plan.models.relations import Relation
from dataplat.specs import ModelSpec, PartitionFormatSpec
from dataplat.specs.documents import Declared


def model(sql: str, table: str = "dw.x", **keys: Any) -> ModelSpec:
    """A model as ``load_catalog`` would return it, in ``config/dw/x.yaml``."""
    database, name = table.split(".")
    declared = Declared(f"config/{database}/{name}.yaml", Path(f"{name}.yaml"), database)
    return ModelSpec.model_validate({"table": table, **keys}).declared_in(declared).with_sql(sql)


def relation(
    table: str, columns: str | None = None, grain: Any = "day", **partition: str
) -> Mapping[str, Relation]:
    """A table that is declared, by its name."""
    names = None if columns is None else tuple(columns.split())
    return {table: Relation(table, table, grain, PartitionFormatSpec(**partition), names)}
