"""A source as a file would declare it, without a file."""

from pathlib import Path
from typing import Any

from dataplat.specs import SourceSpec
from dataplat.specs.documents import Declared

LINES = {("host",): 2, ("user",): 4, ("password",): 5, ("budget",): 7, ("timezone",): 8, ("properties",): 9}


def source(**changes: Any) -> SourceSpec:
    """Return the source ``market``; keywords replace keys of its file."""
    keys = {
        "kind": "mysql",
        "host": "db.example",
        "user": "etl",
        "password": "${MARKET_PASSWORD}",
        "timezone": "Asia/Shanghai",
    }
    declared = Declared("config/sources/market.yaml", Path("config/sources/market.yaml"), lines=LINES)
    return SourceSpec.model_validate({**keys, **changes}).declared_in(declared)
