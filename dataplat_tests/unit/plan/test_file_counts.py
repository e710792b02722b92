"""How a count ends (A34), its document and exit code (A35), and the delimiter as people write it (A32)."""

import pytest

from dataplat.errors import SelectionError
from dataplat.plan.delimiters import parse_delimiter
from dataplat.plan.file_counts import FileProblem, exit_code, judge_count

BROKEN = FileProblem("/t/b", "its footer is damaged")


@pytest.mark.parametrize(
    ("counted", "sizes", "problems", "status", "rows"),
    [
        ([3, 4], [10, 20], [], "success", 7),
        ([], [], [], "success", 0),
        ([3], [10, 20], [BROKEN], "partial", 3),
        ([], [20], [BROKEN], "failed", -1),
        ([], [], [FileProblem("/t", "there is no such path")], "failed", -1),
        ([0], [10, 20], [BROKEN], "partial", 0),
    ],
)
def test_the_status_says_whether_all_some_or_no_files_were_counted_a34(
    counted: list[int], sizes: list[int], problems: list[FileProblem], status: str, rows: int
) -> None:
    found = judge_count("/t", counted, sizes, problems, 5)
    assert (found.status, found.rows, found.files, found.bytes) == (status, rows, len(sizes), sum(sizes))


def test_the_document_has_the_names_that_scripts_read_a35() -> None:
    assert judge_count("/t", [3], [10, 20], [BROKEN], 5).document() == {
        "path": "/t",
        "status": "partial",
        "errors": [{"file": "/t/b", "error": "its footer is damaged"}],
        "row_count": 3,
        "file_count": 2,
        "success_file_count": 1,
        "total_size_bytes": 30,
        "duration_ms": 5,
    }


def test_the_exit_code_of_several_paths_is_that_of_the_worst_a35() -> None:
    assert exit_code(["success", "success"]) == 0
    assert exit_code(["success", "partial"]) == 2
    assert exit_code(["partial", "failed"]) == 1


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        (r"\n", b"\n"),
        ("\n", b"\n"),
        (r"\r\n", b"\r\n"),
        (r"\001", b"\x01"),
        (r"\0", b"\0"),
        (r"\x1eA", b"\x1eA"),
        (r"\u4e2d", "中".encode()),
        ("中", "中".encode()),
        (r"\\n", b"\\n"),
        ("|#|", b"|#|"),
    ],
)
def test_a_delimiter_is_read_as_people_write_it_a32(text: str, delimiter: bytes) -> None:
    assert parse_delimiter(text) == delimiter


@pytest.mark.parametrize(
    ("text", "shown", "found"),
    [
        ("", "''", "nothing"),
        (r"\q", r"'\\q'", r"'\q'"),
        ("a\\", r"'a\\'", "'\\'"),
        (r"\777", r"'\\777'", r"'\777'"),
        (r"\ud800", r"'\\ud800'", "half of a character"),
    ],
)
def test_a_delimiter_that_cannot_be_read_is_one_message(text: str, shown: str, found: str) -> None:
    with pytest.raises(SelectionError) as caught:
        parse_delimiter(text)
    assert str(caught.value) == (
        f"--delimiter: {shown} is no delimiter that can be read\n"
        "  expected   characters, or \\n \\r \\t \\0 \\\\ \\001 (octal) \\x01 \\u0001\n"
        f"  found      {found}\n"
        "  effect     nothing was counted"
    )
