"""A table with checks, as the configuration would declare it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataplat.specs import TableSpec
from dataplat.specs.documents import Declared


def orders(checks: Sequence[Mapping[str, Any]], **changes: Any) -> TableSpec:
    """Return a table whose checks are declared in line 10 and after."""
    spec = {
        "table": "ods.orders",
        "source": "shop",
        "from": {"database": "shop", "table": "orders"},
        "load": "snapshot",
        "columns": "*",
        "key": ["id"],
        "sensitive": ["phone"],
        "checks": list(checks),
    }
    lines = {("checks", index): 10 + index for index in range(len(checks))}
    declared = Declared("config/ods/orders.yaml", Path("orders.yaml"), "ods", lines)
    return TableSpec.model_validate(spec | changes).declared_in(declared)
