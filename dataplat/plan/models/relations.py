"""What a model may read, as far as it is known before anything runs: partitions and columns."""

from collections.abc import Mapping
from dataclasses import dataclass

from dataplat.plan.columns import plan_columns
from dataplat.plan.grains import Grain
from dataplat.plan.partitions import partition_columns
from dataplat.specs import Catalog, PartitionFormatSpec, TableSpec


@dataclass(frozen=True)
class Relation:
    """A table that SQL can name.

    Attributes:
        table: database.table in lower case, as trees name it.
        declared: The name as it was declared.
        grain: How much time one partition holds; none for a table without partitions.
        partition: How its partitions are named.
        columns: Its columns without those of the partition, in lower case; none if they are not known.
        external: Whether somebody else makes it.
    """

    table: str
    declared: str
    grain: Grain | None
    partition: PartitionFormatSpec
    columns: tuple[str, ...] | None
    external: bool = False

    @property
    def partition_names(self) -> tuple[str, ...]:
        """The columns that tell partitions apart, outermost first."""
        if self.grain is None:
            return ()
        names = (self.partition.column,)
        return (*names, self.partition.hour_column) if self.grain == "hour" else names

    @property
    def all_columns(self) -> tuple[str, ...] | None:
        """All columns in the order of ``SELECT *``; none if they are not known."""
        return None if self.columns is None else (*self.columns, *self.partition_names)

    def partition_values(self, key: str) -> dict[str, str]:
        """Return what the partition columns hold in one partition."""
        assert self.grain is not None
        return dict(partition_columns(key, self.grain, self.partition))


Relations = Mapping[str, Relation]


def declared_relations(catalog: Catalog) -> dict[str, Relation]:
    """Return loaded tables, external tables and models; the columns of models are not known yet."""
    found = [
        Relation(spec.table.lower(), spec.table, spec.window.grain, spec.partition, _columns(spec))
        for spec in catalog.tables.values()
    ]
    found += [
        Relation(spec.table.lower(), spec.table, spec.grain, spec.partition, None)
        for spec in catalog.models.values()
    ]
    for external in catalog.platform.external:
        names = external.partition.over(catalog.platform.partition)
        columns = tuple(name.lower() for name in external.columns) or None
        found.append(
            Relation(external.table.lower(), external.table, external.grain, names, columns, external=True)
        )
    return {relation.table: relation for relation in found}


def _columns(spec: TableSpec) -> tuple[str, ...] | None:
    if isinstance(spec.columns, str):
        return None
    plan = plan_columns([column.text for column in spec.columns])
    shards = spec.read_from.shards
    identity = (shards.identity.lower(),) if shards and shards.identity else ()
    return None if plan.problems else (*(entry.target for entry in plan.entries), *identity)
