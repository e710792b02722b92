"""The configuration: YAML files become frozen models, or every problem of every file as file:line.

``load_catalog`` is the way in. Nothing here connects to anything, imports Spark or Dagster, or holds the
value of a secret.
"""

from dataplat.specs.catalog import AnyTable, Catalog
from dataplat.specs.checks import (
    ROW_COUNT_CHECK,
    AcceptedValuesCheck,
    Blocks,
    CheckSpec,
    FanOutCheck,
    FreshCheck,
    MatchRateCheck,
    MinRowsCheck,
    NotNullCheck,
    ReferentialCheck,
    ShareCheck,
    ShareTotal,
    SqlCheck,
    UniqueCheck,
    VolumeCheck,
)
from dataplat.specs.documents import Declared
from dataplat.specs.fresh import FreshSpec
from dataplat.specs.loader import load_catalog
from dataplat.specs.model import ModelSpec, ReadMode, UpstreamSpec
from dataplat.specs.model_test import ModelTestCase, ModelTestSpec
from dataplat.specs.platform import (
    AutomationSpec,
    EngineSpec,
    ExternalSpec,
    PartitionFormatSpec,
    PlatformSpec,
    RetentionSpec,
)
from dataplat.specs.readiness import ProbeSpec, ReadinessSpec
from dataplat.specs.schema import json_schema
from dataplat.specs.secrets import Secret, SecretResolver, SecretText
from dataplat.specs.source import BudgetSpec, SourceSpec
from dataplat.specs.table import (
    ColumnSpec,
    FromSpec,
    ShardsSpec,
    SplitSpec,
    TableSpec,
    TypePolicySpec,
    WindowSpec,
)
from dataplat.specs.values import Grain
from dataplat.specs.warehouse_table import RetrySpec, WarehouseTable

__all__ = [
    "ROW_COUNT_CHECK",
    "AcceptedValuesCheck",
    "AnyTable",
    "AutomationSpec",
    "Blocks",
    "BudgetSpec",
    "Catalog",
    "CheckSpec",
    "ColumnSpec",
    "Declared",
    "EngineSpec",
    "ExternalSpec",
    "FanOutCheck",
    "FreshCheck",
    "FreshSpec",
    "FromSpec",
    "Grain",
    "MatchRateCheck",
    "MinRowsCheck",
    "ModelSpec",
    "ModelTestCase",
    "ModelTestSpec",
    "NotNullCheck",
    "PartitionFormatSpec",
    "PlatformSpec",
    "ProbeSpec",
    "ReadMode",
    "ReadinessSpec",
    "ReferentialCheck",
    "RetentionSpec",
    "RetrySpec",
    "Secret",
    "SecretResolver",
    "SecretText",
    "ShardsSpec",
    "ShareCheck",
    "ShareTotal",
    "SourceSpec",
    "SplitSpec",
    "SqlCheck",
    "TableSpec",
    "TypePolicySpec",
    "UniqueCheck",
    "UpstreamSpec",
    "VolumeCheck",
    "WarehouseTable",
    "WindowSpec",
    "check_config",
    "json_schema",
    "load_catalog",
]

check_config = load_catalog  # what `dataplat check` runs; Catalog.missing_secrets gives its warnings
