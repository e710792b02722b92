"""The file of the old auditor (A16, A28): written whole or not at all, and never taken for absent (A29)."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dataplat.errors import WatermarkError
from dataplat.plan.watermark import Watermark
from dataplat.storage.watermark_file import WatermarkFile

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 1, 9, 5, 0, 0, 123456, tzinfo=ZONE)
MARK = Watermark(AT, AT + timedelta(minutes=1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "clickhouse_watermark.json"


@pytest.fixture
def store(path: Path) -> WatermarkFile:
    return WatermarkFile(path, ZONE)


def test_what_is_saved_is_what_is_read_under_the_old_names_a16(store: WatermarkFile, path: Path) -> None:
    assert store.read() is None
    store.save(MARK)
    assert store.read() == MARK
    assert json.loads(path.read_text()) == {
        "last_end_time": "2026-01-09T05:00:00.123456+08:00",
        "updated_at": "2026-01-09T05:01:00.123456+08:00",
    }
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("content", "at"),
    [
        ({"last_end_time": "2026-01-09T05:00:00"}, "2026-01-09T05:00:00+08:00"),
        ({"last_end_time": "2026-01-08T21:00:00Z"}, "2026-01-09T05:00:00+08:00"),
        ({"last_end_time": "2026-01-09 05:00:00", "updated_at": None}, "2026-01-09T05:00:00+08:00"),
    ],
)
def test_a_file_of_the_old_auditor_is_taken_over_with_or_without_an_offset_a27(
    store: WatermarkFile, path: Path, content: dict[str, Any], at: str
) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    found = store.read()
    assert found is not None
    assert found.last_end_time.isoformat() == at


def test_clearing_forgets_it_and_twice_is_fine_a21(store: WatermarkFile) -> None:
    store.save(MARK)
    store.clear()
    store.clear()
    assert store.read() is None


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b'{"last_end_time": "2026-01-', "Unterminated string starting at: line 1 column 19 (char 18)"),
        (b'{"updated_at": "2026-01-09T05:00:00"}', "it has no 'last_end_time'"),
        (b'{"last_end_time": "yesterday"}', "Invalid isoformat string: 'yesterday'"),
        (b'{"last_end_time": 17}', "fromisoformat: argument must be str"),
        (b"[]", "list indices must be integers or slices, not str"),
    ],
)
def test_a_corrupt_file_is_an_error_with_a_remedy_and_no_fresh_start_a29(
    store: WatermarkFile, path: Path, content: bytes, found: str
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(WatermarkError) as caught:
        store.read()
    assert str(caught.value) == (
        f"{path}: the watermark cannot be read\n"
        '  expected   {"last_end_time": "2026-01-09T05:00:00+08:00"}\n'
        f"  found      {found}\n"
        "  effect     nothing was audited: starting from the lookback would skip what is older\n"
        "  next       dataplat audit run --watermark-reset --hours-lookback HOURS"
    )
    store.clear()
    assert store.read() is None


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_one_and_nothing_beside_it_a28(
    store: WatermarkFile, path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store.save(MARK)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), full)
    with pytest.raises(WatermarkError) as caught:
        store.save(Watermark(AT + timedelta(days=1), AT))
    monkeypatch.undo()
    assert str(caught.value) == (
        f"{path}: the watermark could not be written\n"
        "  found    [Errno 28] No space left on device\n"
        "  effect   the next run looks at this window again"
    )
    assert store.read() == MARK
    assert os.listdir(path.parent) == [path.name]


def test_file_and_folder_are_forced_to_disk_in_that_order_a28(
    store: WatermarkFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_sync(descriptor: int) -> None:
        done.append("fsync folder" if os.path.isdir(f"/dev/fd/{descriptor}") else "fsync file")
        fsync(descriptor)

    def note_replace(source: Path, target: Path) -> Path:
        done.append("rename")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    store.save(MARK)
    assert done == ["fsync file", "rename", "fsync folder"]
