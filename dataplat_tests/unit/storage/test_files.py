"""The few things done to a file system, on a local one; HDFS is in the integration tests."""

from pathlib import Path

import pytest

from dataplat.errors import StorageError
from dataplat.storage import FileEntry, delete_tree, exists, free_bytes, list_files, make_directory


def test_files_are_listed_in_order_with_their_sizes(tmp_path: Path) -> None:
    for name in ("b/two", "a/one", "a/_hidden", "a/.crc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    assert list_files(f"file://{tmp_path}") == [
        FileEntry(f"{tmp_path}/a/one", "a/one", 5),
        FileEntry(f"{tmp_path}/b/two", "b/two", 5),
    ]


def test_an_absent_folder_has_no_files_and_is_no_trouble_to_delete(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/gone"

    delete_tree(uri)

    assert list_files(uri) == []
    assert not exists(uri)


def test_a_folder_is_made_with_its_parents_and_again(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/a/b"

    make_directory(uri)
    make_directory(uri)

    assert exists(uri)
    delete_tree(f"file://{tmp_path}/a")
    assert not exists(uri)


def test_a_refusal_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    uri = f"file://{tmp_path}/file/below"

    with pytest.raises(StorageError) as caught:
        make_directory(uri)

    assert str(caught.value) == (
        f"{uri}: the file system refused\n"
        f"  found    [Errno 20] Not a directory: '{tmp_path}/file/below'\n"
        "  effect   nothing was published\n"
        "  next     dataplat check --connect"
    )


def test_free_space_is_told_for_a_local_warehouse_only(tmp_path: Path) -> None:
    assert (free_bytes(f"file://{tmp_path}") or 0) > 0
    assert free_bytes("hdfs://nowhere:1/warehouse") is None
