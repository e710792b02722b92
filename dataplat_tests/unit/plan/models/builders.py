"""Models, tables and catalogs of a few lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataplat.plan.models.analysis import analyse_model, parse_model
from dataplat.plan.models.graph import ModelAnalysis
from dataplat.plan.models.relations import Relation
from dataplat.specs import Catalog, ModelSpec, PartitionFormatSpec, PlatformSpec, TableSpec
from dataplat.specs.documents import Declared


def declared(table: str) -> Declared:
    database, name = table.split(".")
    return Declared(f"config/{database}/{name}.yaml", Path(f"{name}.yaml"), database)


def model(sql: str, table: str = "dw.x", **keys: Any) -> ModelSpec:
    """A model as ``load_catalog`` would return it, in ``config/dw/x.yaml``."""
    return ModelSpec.model_validate({"table": table, **keys}).declared_in(declared(table)).with_sql(sql)


def loaded(table: str, columns: Any = "*", grain: str = "day") -> TableSpec:
    """A table that is loaded from a source."""
    keys = {"table": table, "source": "s", "from": {"database": "d", "table": "t"}, "load": "snapshot"}
    keys |= {"columns": columns, "window": {"grain": grain}}
    return TableSpec.model_validate(keys).declared_in(declared(table))


def catalog(*specs: ModelSpec | TableSpec, external: Any = ()) -> Catalog:
    """A catalog of some tables and models, whose platform is the default one."""
    keys = {
        "timezone": "Asia/Shanghai",
        "warehouse": "file:///w",
        "ledger": "sqlite:///l",
        "external": external,
    }
    return Catalog(
        Path("config"),
        PlatformSpec.model_validate(keys),
        {},
        {spec.table: spec for spec in specs if isinstance(spec, TableSpec)},
        {spec.table: spec for spec in specs if isinstance(spec, ModelSpec)},
    )


def relation(
    table: str, columns: str | None = None, grain: Any = "day", **partition: str
) -> Mapping[str, Relation]:
    """A table that is declared, by its name."""
    names = None if columns is None else tuple(columns.split())
    return {table: Relation(table, table, grain, PartitionFormatSpec(**partition), names)}


RELATIONS: Mapping[str, Relation] = {
    **relation("ods.account", "id name type created"),
    **relation("ods.money", "id account_id money reason"),
    **relation("ods.click", "account_id url", grain="hour"),
    **relation("ods.goal", "account_id goal", grain="month"),
    **relation("ods.raw"),
    **relation("ods.old", "id kind", column="dt", format="yyyyMMdd"),
    **relation("legacy.city", "id city", grain=None),
}


def analyse(sql: str, grain: str = "day", **keys: Any) -> ModelAnalysis:
    """What is found out about one model over the tables above."""
    spec = model(sql, grain=grain, **keys)
    own = Relation(spec.table, spec.table, spec.grain, spec.partition, None)
    return analyse_model(parse_model(spec), {**RELATIONS, spec.table: own})


def upstreams(sql: str, grain: str = "day", **keys: Any) -> list[str]:
    """What one model reads, as people see it; fails on any problem."""
    analysis = analyse(sql, grain, **keys)
    assert analysis.problems == ()
    return [str(upstream) for upstream in analysis.upstreams]


def messages(analysis: ModelAnalysis) -> list[str]:
    """The problems as ``dataplat check`` lists them."""
    return [f"{problem.at} {problem.message}" for problem in analysis.problems]
