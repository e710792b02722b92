"""A name for what the models of a catalog read: equal as long as reading their SQL would find the same."""

import hashlib

from dataplat.plan.models.relations import declared_relations
from dataplat.specs import Catalog


def graph_fingerprint(catalog: Catalog, *, reader: str = "") -> str:
    """Return 12 hex digits that are the same as long as ``build_graph`` would return the same.

    Args:
        catalog: The tables and the models.
        reader: The version of the code that reads SQL.
    """
    relations = sorted(map(repr, declared_relations(catalog).values()))
    models = sorted(
        f"{spec.table} {spec.declared.file} {sorted(spec.declared.lines.items(), key=str)} {spec.sha()}"
        for spec in catalog.models.values()
    )
    return hashlib.sha256("\n".join([reader, *relations, *models]).encode()).hexdigest()[:12]
