"""The XML in which Hadoop and Hive keep their settings."""

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape


def write_hadoop_xml(path: Path, properties: Mapping[str, str]) -> None:
    """Write a ``*-site.xml`` with these properties, replacing what was there."""
    lines = ["<configuration>"]
    for name, value in properties.items():
        lines.append(f"  <property><name>{escape(name)}</name><value>{escape(value)}</value></property>")
    path.write_text("\n".join([*lines, "</configuration>", ""]))
