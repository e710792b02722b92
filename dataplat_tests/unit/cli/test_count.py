"""``dataplat count``: the old counter's options, document and exit codes (A35, A36)."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataplat.plan.file_counts import judge_count
from dataplat.storage import row_counter
from dataplat_tests.services.hadoop_xml import write_hadoop_xml
from dataplat_tests.unit.cli.harness import CommandLine


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / "ods table" / "ds=2026-01-09"
    folder.mkdir(parents=True)
    for number in range(3):
        pq.write_table(pa.table({"id": range(1000)}), folder / f"part-{number}", compression="none")
    return folder.parent


def masked(dataplat: CommandLine, table: Path) -> None:
    dataplat.masks[str(table.parent)] = "DIR"
    dataplat.masks[r" +[0-9]+\n"] = "  MS\n"
    dataplat.masks["─+"] = "──"
    dataplat.masks["(?m)^path .*$"] = "HEAD"


def test_a_count_is_a_table_for_people_and_exit_0(dataplat: CommandLine, table: Path) -> None:
    masked(dataplat, table)
    ran = dataplat("count", str(table), "--format", "parquet")
    size = sum(file.stat().st_size for file in table.rglob("part-*")) / 1024
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"HEAD\n──\nDIR/ods table   success   3,000       3   {size:.1f} KiB  MS\n"


def test_json_is_the_document_of_the_old_counter_a35(dataplat: CommandLine, table: Path) -> None:
    document = dataplat("count", "-p", str(table), "-f", "parquet", "-t", "2", "--json").document
    assert document.pop("duration_ms") >= 0
    assert document == {
        "path": str(table),
        "status": "success",
        "errors": [],
        "row_count": 3000,
        "file_count": 3,
        "success_file_count": 3,
        "total_size_bytes": sum(file.stat().st_size for file in table.rglob("part-*")),
    }


def test_several_paths_are_one_document_and_the_worst_exit_code_a35(
    dataplat: CommandLine, table: Path
) -> None:
    ran = dataplat("count", str(table), f"{table}/gone", "--format", "parquet", "--json")
    assert ran.code == 1
    assert [(found["status"], found["row_count"]) for found in ran.document["counts"]] == [
        ("success", 3000),
        ("failed", -1),
    ]


def test_a_broken_file_is_exit_2_and_named_on_stderr_a35(dataplat: CommandLine, table: Path) -> None:
    masked(dataplat, table)
    (table / "ds=2026-01-09" / "part-1").write_bytes(b"PAR1 and no more")
    ran = dataplat("count", str(table), "--format", "parquet")
    assert ran.code == 2
    assert ran.out.splitlines()[2].startswith("DIR/ods table   partial   2,000       3")
    assert ran.err == (
        "DIR/ods table/ds=2026-01-09/part-1: no Parquet file, or half of one: it does not end in PAR1\n"
    )


def test_a_failed_count_shows_no_rows_and_is_exit_1_a35(dataplat: CommandLine, table: Path) -> None:
    masked(dataplat, table)
    ran = dataplat("count", f"{table}/gone", "--format", "orc")
    assert (ran.code, ran.err) == (1, "DIR/ods table/gone: there is no such path\n")
    assert ran.out.splitlines()[2] == "DIR/ods table/gone   failed              0   0 B  MS"


def test_errors_beyond_a_screenful_are_counted(dataplat: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    for number in range(25):
        (tmp_path / "t" / f"part-{number:02d}").write_bytes(b"x")
    ran = dataplat("count", f"{tmp_path}/t", "--format", "parquet")
    assert len(ran.err.splitlines()) == 21
    assert ran.err.splitlines()[-1].endswith(": and 5 more; --json names all")


@pytest.mark.parametrize(
    ("delimiter", "rows"), [([], 2), (["-d", "|"], 3), (["--delimiter", r"\x7c|"], 2), (["-d", r"\001"], 1)]
)
def test_text_is_counted_by_its_delimiter_a35(
    dataplat: CommandLine, tmp_path: Path, delimiter: list[str], rows: int
) -> None:
    (tmp_path / "t").write_bytes(b"a||b\nc")
    ran = dataplat("count", f"{tmp_path}/t", "-f", "textfile", *delimiter, "--json")
    assert ran.document["row_count"] == rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--format", "orc"],
            "dataplat count: invalid value: no path is given\n  next   dataplat count --help\n",
        ),
        (
            ["/t"],
            (
                "dataplat count: missing option '--format' / '-f'. Choose from:\n"
                "\torc,\n\tparquet,\n\ttextfile,\n\tavro,\n\tsequencefile\n"
                "  next   dataplat count --help\n"
            ),
        ),
        (
            ["/t", "--format", "orc", "--hadoop-conf", "gone"],
            "--hadoop-conf: 'gone' is no folder\n  effect   nothing was counted\n",
        ),
    ],
)
def test_a_command_line_that_cannot_be_carried_out_is_exit_2(
    dataplat: CommandLine, arguments: list[str], message: str
) -> None:
    ran = dataplat("count", *arguments)
    assert (ran.code, ran.err) == (2, message)


def test_an_unknown_format_names_those_there_are(dataplat: CommandLine) -> None:
    ran = dataplat("count", "/t", "--format", "csv")
    assert ran.code == 2
    for name in ("orc", "parquet", "textfile", "avro", "sequencefile"):
        assert name in ran.err


@pytest.mark.parametrize(
    ("option", "variable", "home", "used"),
    [
        (True, True, True, "option"),
        (False, True, True, "variable"),
        (False, False, True, "home/etc/hadoop"),
        (False, False, False, None),
    ],
)
def test_hadoop_is_configured_by_option_then_variable_then_home_a36(
    dataplat: CommandLine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: bool,
    variable: bool,
    home: bool,
    used: str | None,
) -> None:
    for name in ("option", "variable", "home/etc/hadoop"):
        (tmp_path / name).mkdir(parents=True)
        write_hadoop_xml(tmp_path / name / "core-site.xml", {"fs.defaultFS": f"hdfs://{name[:4]}"})
    asked: list[tuple[str, object]] = []

    def record(uri: str, *_: object, hadoop_conf: Path | None, **__: object) -> object:
        asked.append((uri, hadoop_conf))
        return judge_count(uri, [], [], [], 0)

    monkeypatch.setattr(row_counter, "count_path", record)
    environ = {"HADOOP_CONF_DIR": f"{tmp_path}/variable"} if variable else {}
    environ |= {"HADOOP_HOME": f"{tmp_path}/home"} if home else {}
    dataplat(
        *("count", "/t", "-f", "orc", *(["-c", f"{tmp_path}/option"] if option else [])), environ=environ
    )
    uri = f"hdfs://{used[:4]}/t" if used else "/t"
    assert asked == [(uri, tmp_path / used if used else None)]
