"""The configuration: YAML files become frozen models, or every problem of every file as file:line.

``load_catalog`` is the way in. Nothing here connects to anything, imports Spark or Dagster, or holds the
value of a secret.
"""

from dataplat.specs.catalog import Catalog
from dataplat.specs.checks import (
    ROW_COUNT_CHECK,
    CheckSpec,
    MinRowsCheck,
    NotNullCheck,
    UniqueCheck,
    VolumeCheck,
)
from dataplat.specs.documents import Declared
from dataplat.specs.loader import load_catalog
from dataplat.specs.platform import EngineSpec, PartitionFormatSpec, PlatformSpec, RetentionSpec
from dataplat.specs.schema import json_schema
from dataplat.specs.secrets import Secret, SecretResolver, SecretText
from dataplat.specs.source import BudgetSpec, SourceSpec
from dataplat.specs.table import (
    ColumnSpec,
    FromSpec,
    RetrySpec,
    ShardsSpec,
    SplitSpec,
    TableSpec,
    TypePolicySpec,
    WindowSpec,
)

__all__ = [
    "ROW_COUNT_CHECK",
    "BudgetSpec",
    "Catalog",
    "CheckSpec",
    "ColumnSpec",
    "Declared",
    "EngineSpec",
    "FromSpec",
    "MinRowsCheck",
    "NotNullCheck",
    "PartitionFormatSpec",
    "PlatformSpec",
    "RetentionSpec",
    "RetrySpec",
    "Secret",
    "SecretResolver",
    "SecretText",
    "ShardsSpec",
    "SourceSpec",
    "SplitSpec",
    "TableSpec",
    "TypePolicySpec",
    "UniqueCheck",
    "VolumeCheck",
    "WindowSpec",
    "check_config",
    "json_schema",
    "load_catalog",
]

check_config = load_catalog  # what `dataplat check` runs; Catalog.missing_secrets gives its warnings
