"""The content hash of a model follows the UDFs that it calls; a module is imported only for its callers."""

import sys
from pathlib import Path

import pytest

from dataplat.errors import SpecError
from dataplat.lifecycle.udfs import ModelUdfs
from dataplat.plan.models.reading import build_graph
from dataplat.specs import load_catalog
from dataplat_tests.unit.cli.warehouse import DAY, DIM, add_models
from dataplat_tests.unit.specs.folder import Config

UDFS = """\
from dataplat.udfs import udf

@udf(returns="string")
def loud(words):
    return words

@udf(returns="string")
def quiet(words):
    return words
"""
TABLE = "ods.ods_t_money_record"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Config(tmp_path)
    add_models(made)
    made.write("../acme_sha.py", UDFS)
    made.add("platform.yaml", "udfs: [acme_sha]\n")
    made.replace("dim/dim_account.sql", "max(type)", "loud(max(type))")
    return made


def shas(config: Config) -> dict[str, str]:
    sys.modules.pop("acme_sha", None)
    catalog = load_catalog(config.dir, {})
    graph, udfs = build_graph(catalog), ModelUdfs(catalog)
    return {name: udfs.sha(graph, catalog.any_table(name)) for name in (DIM, DAY, TABLE)}


def test_a_model_changes_with_the_udf_that_it_calls_and_nothing_else_does(config: Config) -> None:
    before = shas(config)
    config.replace(
        "../acme_sha.py", "def loud(words):\n    return words", "def loud(words):\n    return [*words]"
    )
    after = shas(config)
    assert {name for name in before if before[name] != after[name]} == {DIM}


def test_no_table_changes_with_a_udf_that_none_calls(config: Config) -> None:
    before = shas(config)
    config.replace("../acme_sha.py", "def quiet(words):\n    return words", "def quiet(words):\n    return 1")
    assert shas(config) == before


def test_a_broken_module_is_no_matter_for_those_who_call_nothing(config: Config) -> None:
    config.write("../acme_sha.py", "nonsense")
    sys.modules.pop("acme_sha", None)
    catalog = load_catalog(config.dir, {})
    graph, udfs = build_graph(catalog), ModelUdfs(catalog)
    assert udfs.sha(graph, catalog.model(DAY)) == catalog.sha(catalog.model(DAY))
    assert udfs.called_in("SELECT upper(a), count(*) FROM t") == []
    with pytest.raises(SpecError) as caught:
        udfs.sha(graph, catalog.model(DIM))
    assert str(caught.value) == (
        "config: 1 problem in 1 file\n"
        "  config/platform.yaml:10   udfs[0]: module 'acme_sha' cannot be imported: NameError: name"
        " 'nonsense' is not defined (line 1)\n"
        "  effect                    nothing was run\n"
        "  next                      dataplat check"
    )


def test_the_udfs_that_sql_may_call_are_found_by_their_names(config: Config) -> None:
    shas(config)
    udfs = ModelUdfs(load_catalog(config.dir, {}))
    found = [udf.name for udf in udfs.called_in("SELECT `Loud` (x), parse_ip\n(y), quiet FROM t")]
    assert found == ["loud", "parse_ip"]


def test_the_udfs_of_a_check_s_sql_are_found(config: Config) -> None:
    check = "{sql: {name: known, query: 'SELECT id FROM {{ staged }} WHERE parse_ip(id) = 1'}}"
    config.add("dim/dim_account.yaml", f"checks: [{check}]\n")
    sys.modules.pop("acme_sha", None)
    catalog = load_catalog(config.dir, {})
    udfs = ModelUdfs(catalog)
    assert [udf.name for udf in udfs.called_by_checks(catalog.model(DIM))] == ["parse_ip"]
    assert udfs.called_by_checks(catalog.model(DAY)) == []
