"""How many partitions one read or one write covers."""

from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.splits import MAX_PARTITIONS_A_READ
from dataplat.plan.targets import is_read_alone
from dataplat.specs import AnyTable, ModelSpec

MAX_PARTITIONS_A_WRITE = 4


def partitions_at_once(graph: ModelGraph, spec: AnyTable) -> int:
    """Return how many partitions of a table are made together at most.

    A source is read in ranges, as far as a range can be read. A model writes a few together, unless each of
    its partitions is built on the one before.
    """
    if isinstance(spec, ModelSpec):
        return 1 if builds_on_its_past(graph, spec) else MAX_PARTITIONS_A_WRITE
    return 1 if is_read_alone(spec) else MAX_PARTITIONS_A_READ


def builds_on_its_past(graph: ModelGraph, spec: ModelSpec) -> bool:
    """Say whether a partition of a model needs one before it."""
    return spec.depends_on_past or any(one.table == spec.table for one in graph.upstreams(spec.table))
