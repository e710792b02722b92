"""Where a path without a scheme is, as Hadoop's own configuration says."""

from pathlib import Path

import pytest

from dataplat.errors import StorageError
from dataplat.storage.hadoop_conf import default_file_system, locate
from dataplat_tests.services.hadoop_xml import write_hadoop_xml


@pytest.mark.parametrize("name", ["fs.defaultFS", "fs.default.name"])
def test_the_default_file_system_is_read_under_both_of_its_names(tmp_path: Path, name: str) -> None:
    write_hadoop_xml(tmp_path / "core-site.xml", {"other": "x", name: "hdfs://NS1/"})
    assert default_file_system(tmp_path) == "hdfs://NS1"


def test_no_file_or_no_entry_is_no_default(tmp_path: Path) -> None:
    assert default_file_system(tmp_path) is None
    write_hadoop_xml(tmp_path / "core-site.xml", {"other": "x"})
    assert default_file_system(tmp_path) is None


def test_a_configuration_that_is_no_xml_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "core-site.xml").write_text("<configuration>")
    with pytest.raises(StorageError) as caught:
        default_file_system(tmp_path)
    assert str(caught.value).replace(str(tmp_path), "DIR") == (
        "DIR/core-site.xml: Hadoop's configuration cannot be read\n"
        "  found    no element found: line 1, column 15\n"
        "  effect   nothing was counted\n"
        "  next     dataplat count PATH --format FORMAT --hadoop-conf DIR"
    )


@pytest.mark.parametrize("path", ["hdfs://ns2/t", "hdfs:///t", "file:///t", "s3://bucket/t", "relative/t"])
def test_a_uri_and_a_relative_path_stay_what_they_are(path: str) -> None:
    assert locate(path, "hdfs://ns1") == path
