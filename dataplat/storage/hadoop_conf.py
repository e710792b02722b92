"""What Hadoop's own configuration says about where a path without a scheme is."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from dataplat.errors import StorageError
from dataplat.storage.files import split_uri


def default_file_system(hadoop_conf: Path) -> str | None:
    """Return ``fs.defaultFS`` of core-site.xml, without a slash at its end; ``None`` where it is not set.

    Raises:
        StorageError: The file is there and cannot be read.
    """
    path = hadoop_conf / "core-site.xml"
    try:
        root = ET.fromstring(path.read_bytes())  # noqa: S314 - the operator's own file
    except FileNotFoundError:
        return None
    except (OSError, ET.ParseError) as error:
        raise StorageError(
            str(path),
            "Hadoop's configuration cannot be read",
            facts=[("found", str(error))],
            effect="nothing was counted",
            next_steps=["dataplat count PATH --format FORMAT --hadoop-conf DIR"],
        ) from error
    names = {
        (item.findtext("name") or "").strip(): (item.findtext("value") or "").strip()
        for item in root.iter("property")
    }
    found = names.get("fs.defaultFS") or names.get("fs.default.name")
    return found.rstrip("/") if found else None


def locate(path: str, default: str | None) -> str:
    """Return the URI of a path as Hadoop's commands understand it.

    Args:
        path: A URI stays what it is.
        default: The default file system, if there is a Hadoop configuration that names one; a path
            without a scheme is of this machine otherwise, and a relative one always.

    >>> locate("/warehouse/t", "hdfs://ns1"), locate("/t", None), locate("s3://b/t", "hdfs://ns1")
    ('hdfs://ns1/warehouse/t', '/t', 's3://b/t')
    """
    has_scheme = split_uri(path) != ("file", "", path)
    absolute = re.match("/", path) is not None
    return f"{default}{path}" if default and absolute and not has_scheme else path
