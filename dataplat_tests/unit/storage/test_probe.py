"""The warehouse is tried by using it, and no trace is left."""

from pathlib import Path

import pytest

from dataplat.errors import StorageError
from dataplat.storage import probe_folder


def test_a_folder_that_can_be_used_is_made_and_left_empty(tmp_path: Path) -> None:
    probe_folder(f"file://{tmp_path}/warehouse")
    assert list((tmp_path / "warehouse").iterdir()) == []


def test_a_place_where_no_folder_can_be_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "warehouse").write_text("a file")
    with pytest.raises(StorageError) as caught:
        probe_folder(f"file://{tmp_path}/warehouse")
    assert str(caught.value).replace(str(tmp_path), "DIR") == (
        "file://DIR/warehouse: the file system refused\n"
        "  found    [Errno 17] File exists: 'DIR/warehouse'\n"
        "  effect   nothing was published\n"
        "  next     dataplat check --connect"
    )
