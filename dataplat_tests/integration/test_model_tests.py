"""``dataplat test`` on a real engine, whose metastore is nobody: given rows in, expected rows out."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataplat.cli.main import run
from dataplat.lifecycle.model_tests import ModelTest, run_model_tests, select_tests
from dataplat.lifecycle.platform import Platform
from dataplat.settings import read_settings
from dataplat.specs import load_catalog
from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parent / "given"
SQL, TESTS = "dw/visit_day.sql", "dw/visit_day.test.yaml"
MASKS = {r"(?m) +\d+\.\d$": " SECONDS", r'"seconds": [0-9.]+': '"seconds": 0'}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose engine is shared by all tests here, and stopped at the end."""
    folder = tmp_path_factory.mktemp("model_tests") / "home"
    yield folder
    assert run(["engine", "stop"], environ_of(folder, EXAMPLE / "config")) == 0


def environ_of(home: Path, config: Path) -> dict[str, str]:
    return {"DATAPLAT_HOME": str(home), "DATAPLAT_CONFIG": str(config)}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The folder of the example, to be changed by one test."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "given"))


@pytest.fixture
def dataplat(
    example: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    monkeypatch.setenv("COLUMNS", "80")
    return CommandLine(example / "config", home, capsys, {}, dict(MASKS))


def change(example: Path, file: str, old: str, new: str) -> None:
    path = example / "config" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_tests_that_hold_pass_and_touch_neither_metastore_nor_ledger_nor_warehouse(
    dataplat: CommandLine, golden: Golden, home: Path
) -> None:
    ran = dataplat("test")
    assert (ran.code, ran.err) == (0, "starting the engine\n")
    golden(GOLDEN / "test" / "passed.txt", ran.out)
    assert {path.name for path in home.iterdir()} <= {"engine", "cache"}


def test_a_test_that_does_not_hold_shows_the_rows_that_differ(
    dataplat: CommandLine, example: Path, golden: Golden
) -> None:
    change(example, TESTS, "visits: 2, paid: 7", "visits: 3, paid: 7.5")
    change(example, TESTS, "expect: []", "expect:\n      - {place: 北京, visits: 1}")
    ran = dataplat("test", "dw.*")
    assert ran.code == 1
    assert max(map(len, ran.err.splitlines())) <= 80
    golden(GOLDEN / "test" / "failed.txt", ran.out + ran.err)


def test_json_has_the_rows_that_differ(dataplat: CommandLine, example: Path) -> None:
    change(example, TESTS, "expect: []", "expect:\n      - {place: 北京, visits: 1}")
    ran = dataplat("test", "--json")
    passed, failed = ran.document["tests"]
    assert (ran.code, ran.document["ok"], passed["verdict"]) == (1, False, "passed")
    assert failed == {
        "model": "dw.visit_day",
        "test": "a day without visits has no rows",
        "partition": "2026-01-09",
        "declared": "config/dw/visit_day.test.yaml:19",
        "verdict": "failed",
        "seconds": 0,
        "expected": 1,
        "made": 0,
        "out_of_order": False,
        "missing": [{"place": "北京", "visits": "1"}],
        "surplus": [],
    }


def test_sql_that_the_engine_refuses_is_told_with_the_line_of_the_file(
    dataplat: CommandLine, example: Path
) -> None:
    change(example, SQL, "max(size(tags))", "max(size(tags, 2))")
    ran = dataplat("test")
    assert ran.code == 1
    assert ran.out.endswith("\n0 of 2 passed\n")
    told = ran.err.removeprefix("starting the engine\n").split("\n\n")
    assert told[0] == REFUSED.replace("NAME", "2 visits are counted by place and first word")
    assert told[1].rstrip("\n") == REFUSED.replace("NAME", "19 a day without visits has no rows").lstrip("\n")


REFUSED = """\

config/dw/visit_day.test.yaml:NAME
dw.visit_day[2026-01-09]: Spark refuses the SQL
  found      [WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `size` requires 1 parameters but the actual number is 2
  declared   config/dw/visit_day.sql:9
                 max(size(tags, 2)) AS tags,
                     ^
  effect     no rows were made"""


def test_a_udf_that_raises_is_told_with_its_line(dataplat: CommandLine, example: Path) -> None:
    change(example, TESTS, "title: red coat", "title: '? coat'")
    ran = dataplat("test")
    assert ran.code == 1
    assert ran.err == (
        "starting the engine\n\n"
        "config/dw/visit_day.test.yaml:2 visits are counted by place and first word\n"
        "dw.visit_day[2026-01-09]: UDF first_word failed\n"
        "  found      ValueError: '?' is no word\n"
        "  declared   acme_given:14\n"
        "  effect     no rows were made\n"
    )


def test_a_function_that_nobody_declared_is_told_before_the_engine_is_asked(
    dataplat: CommandLine, example: Path
) -> None:
    change(example, SQL, "first_word(", "first_wort(")
    ran = dataplat("test")
    assert (ran.code, ran.out, ran.err) == (1, "", (
        "config: 1 problem in 1 file\n"
        "  config/dw/visit_day.sql:5   there is no function 'first_wort'; did you mean 'first_word'?\n"
        "                                  first_wort(visit.title) AS word,\n"
        "                                  ^\n"
        "  effect                      nothing was run\n"
        "  next                        dataplat check\n"
    ))  # fmt: skip


PAGE = (ROOT / "docs" / "udfs-and-tests.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:^<!-- said of: (.*) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_about_udfs_and_tests_is_true(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are written in a copy of the shipped configuration, its commands typed, its mistake made."""
    monkeypatch.setenv("COLUMNS", "80")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    dataplat = CommandLine(tmp_path / "config", home, capsys, {}, dict(MASKS))
    typed = []
    for mistake, language, text in BLOCK.findall(PAGE):
        if language == "sh":
            for command in text.splitlines():
                typed.append(dataplat(*shlex.split(command)[1:]))
                assert typed[-1].code == 0, typed[-1].err
        elif language == "text":
            file = tmp_path / "config" / "dw" / "dw_referrer_day.test.yaml"
            for old, new in json.loads(mistake).items():
                assert old in file.read_text(encoding="utf-8")
                file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
            ran = dataplat("test", "dw.dw_referrer_day")
            assert (ran.code, ran.err) == (1, f"starting the engine\n\n{text}")
        else:
            _write_block(tmp_path, text)
    assert [ran.out.splitlines()[-1] for ran in typed] == ["config/ is right", "1 of 1 passed"]


def _write_block(root: Path, text: str) -> None:
    """Write a file whose name stands in its first line, or add to it."""
    named = re.match(r"(?:#|--) (added to )?(\S+)\n", text)
    assert named is not None, "a block opens with the name of its file"
    file = root / named[2]
    file.parent.mkdir(exist_ok=True)
    before = file.read_text(encoding="utf-8") if named[1] else ""
    file.write_text(before + text, encoding="utf-8")


def shipped() -> list[ModelTest]:
    return select_tests(load_catalog(ROOT / "config", {}))


@pytest.fixture(scope="module")
def shipped_platform(home: Path) -> Iterator[Platform]:
    """The shipped configuration on the engine of the example."""
    environ = environ_of(home, ROOT / "config")
    with Platform.load(read_settings(environ), environ) as platform:
        yield platform


def test_every_shipped_model_has_tests() -> None:
    catalog = load_catalog(ROOT / "config", {})
    assert {test.spec.table for test in shipped()} == set(catalog.models)


@pytest.mark.parametrize("test", shipped(), ids=lambda test: f"{test.spec.table}: {test.name}")
def test_a_shipped_model_makes_what_its_test_expects(shipped_platform: Platform, test: ModelTest) -> None:
    (result,) = run_model_tests(shipped_platform, [test])
    told = result.diff.render() if result.diff is not None else str(result.error)
    assert result.verdict == "passed", f"\n{test.declared}\n{told}"
