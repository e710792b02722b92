"""The schema lock as a file: what is written is read again, and what is no lock is told with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SpecError
from dataplat.specs.documents import parse_document
from dataplat.specs.schema_lock import LOCK_FILE, read_schema_lock, render_schema_lock

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
TYPES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TABLES = st.from_regex(r"[a-z_]{1,9}\.[a-z_0-9]{1,9}", fullmatch=True)


@given(st.dictionaries(TABLES, st.dictionaries(NAMES, TYPES, max_size=5), max_size=4))
def test_what_is_written_is_read_again(tables: dict[str, dict[str, str]]) -> None:
    document = parse_document(render_schema_lock(tables), "x", Path("x"))
    assert document.problems == ()
    assert (document.value or {}) == tables
    assert [list(columns) for columns in (document.value or {}).values()] == [
        list(columns) for _, columns in sorted(tables.items())
    ]


def test_nobody_has_agreed_to_anything_yet(tmp_path: Path) -> None:
    assert read_schema_lock(tmp_path) == {}


def test_the_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    for kind in ("int(11)", "bigint(20)"):
        (tmp_path / LOCK_FILE).unlink(missing_ok=True)
        (tmp_path / f"{kind} {LOCK_FILE}").write_text(render_schema_lock({"ods.t": {"id": kind}}))
        (tmp_path / f"{kind} {LOCK_FILE}").rename(tmp_path / LOCK_FILE)
        assert read_schema_lock(tmp_path) == {"ods.t": {"id": kind}}


def test_what_is_no_lock_is_one_message_with_every_line(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / LOCK_FILE).write_text("ods.a: 7\nods.b:\n  id: int(11)\n  no: 1\n")
    with pytest.raises(SpecError) as caught:
        read_schema_lock(folder)
    assert (
        str(caught.value)
        == """\
config/schema.lock.yaml: the lock cannot be read
  config/schema.lock.yaml:1   ods.a: expected columns with their types
  config/schema.lock.yaml:4   ods.b.no: expected the type of the column as text
  effect                      nothing was read
  next                        take it from version control again   or   dataplat schema accept"""
    )
