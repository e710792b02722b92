"""``dw/dw_x.test.yaml`` beside a model: given rows of its upstreams, which rows it makes.

A row names the columns that matter to it, all others are NULL; a partition column that a given row leaves
out is that of the tested partition. Types are inferred from what is written, dates are text.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from dataplat.specs.base import DeclaredSpec, Spec
from dataplat.specs.values import PlainText, TableName, Text

Row = dict[Text, Any]


class ModelTestCase(Spec):
    """One case: what is in the upstreams, and what comes out."""

    description: str = Field("", description="What the case shows.")
    partition: PlainText = Field(description="The partition of the model that is made: 2026-01-09.")
    given: dict[TableName, tuple[Row, ...]] = Field(
        default_factory=dict, description="Rows of each upstream; one that is not named is empty."
    )
    expect: tuple[Row, ...] = Field(
        description="The rows that are made; a column that no row names is not compared."
    )
    ordered: bool = Field(False, description="Whether the rows must come in this order.")


def _some(tests: dict[str, ModelTestCase]) -> dict[str, ModelTestCase]:
    if not tests:
        raise ValueError("expected at least one test, by its name")
    return tests


class ModelTestSpec(DeclaredSpec):
    """The tests of one model."""

    tests: Annotated[dict[Text, ModelTestCase], AfterValidator(_some)] = Field(
        description="The tests by name; a name says what holds."
    )

    @property
    def model_path(self) -> Path:
        """The file of the model that it tests."""
        return self.declared.path.with_name(self.declared.path.name.removesuffix(".test.yaml") + ".yaml")

    def at(self, name: str) -> str:
        """Return where a test was declared."""
        return self.declared.at("tests", name)
