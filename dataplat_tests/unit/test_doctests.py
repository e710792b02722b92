"""The examples in the docstrings of the pure packages are true."""

import doctest
import importlib
import pkgutil

import pytest

import dataplat.plan
import dataplat.specs


def pure_modules() -> list[str]:
    found = ["dataplat.errors"]
    for package in (dataplat.specs, dataplat.plan):
        found += [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return found


@pytest.mark.parametrize("name", pure_modules())
def test_examples_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.REPORT_NDIFF)
    assert result.failed == 0


def test_there_are_examples_to_run() -> None:
    finder = doctest.DocTestFinder()
    names = ("dataplat.plan.dates", "dataplat.plan.windows", "dataplat.plan.partitions")
    for name in names:
        assert any(test.examples for test in finder.find(importlib.import_module(name))), name
