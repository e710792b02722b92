"""What platform.yaml says of UDFs is found, or every mistake is told with its line, whole."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dataplat.specs import load_catalog
from dataplat.udfs import registry, udf
from dataplat.udfs.registry import find_udfs, inspect_udf_files
from dataplat_tests.unit.specs.folder import Config

GOOD = """\
from dataplat.udfs import udf

@udf(returns="string")
def loud(words):
    return words
"""


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    before = set(sys.modules)
    yield Config(tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("acme_"):
            del sys.modules[name]


def found(config: Config) -> tuple[list[str], list[str]]:
    """The names of the UDFs, and the problems as printed."""
    platform = load_catalog(config.dir, {}).platform
    udfs, problems = find_udfs(platform, config.dir.parent)
    problems += inspect_udf_files(udfs.values(), platform)
    told = [f"{problem.at}  {problem.message}" for problem in problems]
    return sorted(udfs), [text.replace(str(config.dir.parent), "ROOT") for text in told]


def write(config: Config, name: str, text: str) -> None:
    config.write(f"../{name}.py", text)


def at(config: Config, key: str) -> str:
    lines = config.read("platform.yaml").splitlines()
    return f"config/platform.yaml:{next(n for n, line in enumerate(lines, 1) if line.startswith(key))}"


def test_ours_is_there_without_a_word_in_the_platform(config: Config) -> None:
    assert found(config) == (["parse_ip"], [])


def test_a_module_beside_the_configuration_is_found_and_the_path_is_left_as_it_was(config: Config) -> None:
    write(config, "acme_good", GOOD)
    config.add("platform.yaml", "udfs: [acme_good]\n")
    path = list(sys.path)
    assert found(config) == (["loud", "parse_ip"], [])
    assert sys.path == path


def test_one_udf_of_a_module_can_be_named(config: Config) -> None:
    write(config, "acme_two", GOOD + "\n@udf(returns='string')\ndef quiet(words):\n    return words\n")
    config.add("platform.yaml", "udfs: ['acme_two:quiet']\n")
    assert found(config) == (["parse_ip", "quiet"], [])


def test_a_udf_that_a_module_only_imports_is_not_its_own(config: Config) -> None:
    write(config, "acme_good", GOOD)
    write(config, "acme_more", "from acme_good import loud\n" + GOOD.replace("loud", "quiet"))
    config.add("platform.yaml", "udfs: [acme_more, acme_good]\n")
    assert found(config) == (["loud", "parse_ip", "quiet"], [])


MISTAKES = {
    "a module that is not there": (
        "acme_nowhere", "",
        "udfs[0]: there is no module 'acme_nowhere', neither installed nor in ROOT",
    ),
    "a module that does not import": (
        "acme_a", "\nimport acme_absent\n",
        ("udfs[0]: module 'acme_a' cannot be imported: ModuleNotFoundError: No module named 'acme_absent'"
         " (line 2)"),
    ),
    "a module that fails": (
        "acme_b", "x = 1\ny = x / 0\n",
        "udfs[0]: module 'acme_b' cannot be imported: ZeroDivisionError: division by zero (line 2)",
    ),
    "a module that is no Python": (
        "acme_c", "x = 1\ndef (\n",
        "udfs[0]: module 'acme_c' cannot be imported: SyntaxError: invalid syntax (line 2)",
    ),
    "a module without a UDF": (
        "acme_d", "def loud(words):\n    return words\n",
        "udfs[0]: module 'acme_d' declares no UDF: put @udf(returns=…) before a function",
    ),
    "an object that is not there": (
        "acme_e:load", GOOD,
        "udfs[0]: module 'acme_e' has no 'load'; did you mean 'loud'?",
    ),
    "an object that is no UDF": (
        "acme_f:plain", GOOD + "\ndef plain(words):\n    return words\n",
        "udfs[0]: acme_f:plain: is no UDF but a plain function: put @udf(returns=…) before the function",
    ),
    "a value that is no UDF": (
        "acme_g:LIMIT", GOOD + "\nLIMIT = 3\n",
        "udfs[0]: acme_g:LIMIT: is no UDF but a int: put @udf(returns=…) before the function",
    ),
    "a name of Spark": (
        "acme_h", GOOD.replace("loud", "upper"),
        "udfs[0]: acme_h: 'upper' is a function of Spark; give the UDF another name",
    ),
    "a name that SQL cannot call": (
        "acme_i", GOOD.replace("loud", "Loud"),
        ("udfs[0]: module 'acme_i' cannot be imported: ValueError: 'Loud' is no name of a UDF:"
        " lower-case letters, digits and _ (line 3)"),
    ),
    "a name that is ours": (
        "acme_j", GOOD.replace("loud", "parse_ip"),
        ("udfs[0]: UDF parse_ip is declared twice: by entry point parse_ip = dataplat.udfs.parse_ip:parse_ip"
        " and by acme_j"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_a_module_is_told_with_the_line_of_the_platform(config: Config, mistake: str) -> None:
    name, text, problem = MISTAKES[mistake]
    if text:
        write(config, name.partition(":")[0], text)
    config.add("platform.yaml", f"udfs: ['{name}']\n")
    assert found(config) == (["parse_ip"], [f"{at(config, 'udfs')}  {problem}"])


def test_two_modules_with_one_name_are_told(config: Config) -> None:
    write(config, "acme_k", GOOD)
    write(config, "acme_l", GOOD)
    config.add("platform.yaml", "udfs:\n  - acme_k\n  - acme_l\n")
    (problem,) = found(config)[1]
    assert problem.endswith("udfs[1]: UDF loud is declared twice: by acme_k and by acme_l")


def test_the_mistakes_of_files_are_told_at_once(config: Config) -> None:
    write(config, "acme_good", GOOD)
    config.write("../ips.csv", "first\n")
    files = "udf_files: {parse_pi: ips.csv, loud: ips.csv, parse_ip: nowhere.csv}\n"
    config.add("platform.yaml", f"udfs: [acme_good]\n{files}")
    place = at(config, "udf_files")
    assert found(config)[1] == [
        f"{place}  udf_files.parse_pi: there is no UDF 'parse_pi'; did you mean 'parse_ip'?",
        f"{place}  udf_files.loud: UDF loud reads no file",
        f"{place}  udf_files.parse_ip: there is no file ROOT/nowhere.csv",
    ]


def test_a_file_that_its_udf_cannot_use_is_told_with_the_file_s_line(config: Config) -> None:
    config.write("../ips.csv", "first,last,country,province\n1.1.1.1,x,,\n")
    config.add("platform.yaml", "udf_files: {parse_ip: ips.csv}\n")
    assert found(config)[1] == [
        (
            f"{at(config, 'udf_files')}  udf_files.parse_ip: UDF parse_ip cannot use ROOT/ips.csv:"
            " line 2: 'x' is no IP address"
        )
    ]


def test_an_entry_point_that_does_not_load_is_told_by_its_name(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("far", "acme_gone.udfs:far", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    assert found(config)[1] == [
        (
            "config/platform.yaml:2  udfs: entry point far = acme_gone.udfs:far: cannot be imported:"
            " ModuleNotFoundError: No module named 'acme_gone'"
        )
    ]


def test_a_file_and_its_reader_come_together() -> None:
    with pytest.raises(ValueError, match="UDF f: `file` and `read` go together"):
        udf(returns="string", name="f", file=Path("x"))(print)
