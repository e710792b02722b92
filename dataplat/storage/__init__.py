"""Files of the warehouse through fsspec: ``file://``, ``hdfs://`` by hdfs-native. No JVM, no Spark.

What is counted here is read by code that did not write it: that is the point.
"""

from dataplat.storage.files import FileEntry, delete_tree, exists, free_bytes, list_files, make_directory
from dataplat.storage.footers import FooterCount, count_partitions
from dataplat.storage.probe import probe_folder

__all__ = [
    "FileEntry",
    "FooterCount",
    "count_partitions",
    "delete_tree",
    "exists",
    "free_bytes",
    "list_files",
    "make_directory",
    "probe_folder",
]
