"""Version names and locations."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dataplat.plan.versions import is_version, new_version, version_location, version_of

VERSION = "20260302T020109-4f1c9a"


def test_a_version_shows_the_clock_of_the_zone_it_was_made_in() -> None:
    now = datetime(2026, 3, 1, 18, 1, 9, tzinfo=UTC)
    assert new_version(now.astimezone(ZoneInfo("Asia/Shanghai")), "4f1c9a") == VERSION
    assert new_version(now, "4f1c9a") == "20260301T180109-4f1c9a"


@pytest.mark.parametrize("token", ["", "4f1c9", "4F1C9A", "../../", "4f1c9a/x", "4f1c9g"])
def test_a_token_is_hex(token: str) -> None:
    with pytest.raises(ValueError, match="is no version token"):
        new_version(datetime(2026, 3, 2, tzinfo=UTC), token)


def test_a_version_needs_an_aware_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        new_version(datetime.fromisoformat("2026-03-02"), "4f1c9a")


@pytest.mark.parametrize("table", ["file:///w/ods.db/x", "file:///w/ods.db/x/", "hdfs://ns1/w/ods.db/x"])
def test_a_partition_lies_under_its_version_and_is_found_again(table: str) -> None:
    location = version_location(table, VERSION, [("ds", "2026-01-09"), ("hr", "05")])
    assert location == f"{table.rstrip('/')}/_versions/{VERSION}/ds=2026-01-09/hr=05"
    assert version_of(location) == VERSION
    assert version_of(version_location(table, VERSION)) == VERSION


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "20260302T020109", f"{VERSION}/..", f"{VERSION}\n", "_temporary"]
)
def test_no_other_name_is_a_version(name: str) -> None:
    assert not is_version(name)
    with pytest.raises(ValueError, match="is no version name"):
        version_location("file:///w", name)


@pytest.mark.parametrize(
    "location",
    [
        "file:///w/ods.db/x/ds=2026-01-09",
        "file:///w/_versions/other/ds=2026-01-09",
        f"file:///w/_versions/{VERSION}0x/ds=1",
        f"file:///w/my_versions/{VERSION}",
    ],
)
def test_a_location_that_dataplat_did_not_write_has_no_version(location: str) -> None:
    assert version_of(location) is None
