"""The job ``recheck``, for the launchpad of the UI and for ``dataplat recheck``.

A job with configuration, and not a button on each check: in Dagster 1.13 a check that is made by the op of
its table cannot be run alone, and a job of nothing but checks cannot be launched for a partition.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

RECHECK, CHECK_AGAIN = "recheck", "check_again"  # Dagster wants different names for a job and its op


class RecheckConfig(dg.Config):
    """What is checked again."""

    table: str = Field(description="A table: ods.ods_t_account")
    dates: str = Field(description="D, D1~D2 or D1,D2 with D as 20260109 or 2026-01-09")


@dg.op(
    name=CHECK_AGAIN,
    required_resource_keys={"platform"},
    description="Checks what is published again; a check that fails holds its partition.",
)
def recheck_op(
    context: dg.OpExecutionContext, config: RecheckConfig
) -> Iterator[dg.AssetCheckEvaluation | dg.Output[Any]]:
    """Hand over to the body, which imports Spark and the ledger."""
    from dataplat.orchestration.recheck import recheck_table

    yield from recheck_table(context, config.table, config.dates)


def build_recheck_job() -> dg.JobDefinition:
    """Return the job."""

    @dg.job(name=RECHECK, description="Check partitions that are published again.")
    def recheck() -> None:
        recheck_op()

    return recheck
