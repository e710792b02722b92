"""Listing, making and deleting: the few things dataplat does to a file system itself.

Hidden names (``_SUCCESS``, ``.part-0.crc``, ``_temporary``) are no data, as in Hive and Spark. The rule
applies below the folder that is listed, not to it: versions live under ``_versions``.

A URI here is not percent-encoded: Hive escapes names with ``%``, and ``?`` and ``#`` are letters like others.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import fsspec

from dataplat.errors import StorageError

_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://(?P<authority>[^/]*))?(?P<path>/.*|$)", re.DOTALL
)
_HADOOP = {"hdfs", "viewfs"}
# One request names every object below a prefix there; elsewhere folders are listed one by one.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "cos", "obs", "tos"}
_STAMPS = (
    "ino",
    "mtime",
    "modification_time",
    "modificationTime",
    "fileId",
    "ETag",
    "etag",
    "md5Hash",
    "LastModified",
    "last_modified",
    "updated",
    "created",
)


@dataclass(frozen=True)
class FileEntry:
    """A data file: its path as the file system names it, relative to the listed folder, and its bytes.

    ``stamp`` differs between two listings when the file was written or replaced between them; ``special`` is
    what holds no content: a pipe, a socket, a device.
    """

    path: str
    relative: str
    size: int
    stamp: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    special: bool = field(default=False, compare=False, repr=False)


def split_uri(uri: str) -> tuple[str, str, str]:
    """Return scheme, authority and path; a path without a scheme is local.

    >>> split_uri("hdfs://NS1/t/ds=2026%3A01#a?b")
    ('hdfs', 'NS1', '/t/ds=2026%3A01#a?b')
    >>> split_uri("/a:b/c")
    ('file', '', '/a:b/c')
    """
    match = _URI.fullmatch(uri)
    if match is None:
        return "file", "", uri
    return match["scheme"].lower(), match["authority"] or "", match["path"]


def is_local(uri: str) -> bool:
    """Say whether the path is of this machine's own file system."""
    return split_uri(uri)[0] in {"file", "local"}


def filesystem(uri: str, hadoop_conf: Path | None = None) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the file system of ``uri`` and the path in it. Connections are cached.

    Args:
        uri: Where; ``hdfs:///t`` is on the default file system of Hadoop's configuration.
        hadoop_conf: Folder of core-site.xml and hdfs-site.xml; else hdfs-native looks into
            ``HADOOP_CONF_DIR`` and ``$HADOOP_HOME/etc/hadoop`` of the process itself.
    """
    scheme, authority, path = split_uri(uri)
    if scheme in _HADOOP:
        return _hadoop(scheme, authority, str(hadoop_conf) if hadoop_conf else None), path or "/"
    cls = _class_for(uri, scheme)
    if scheme == "webhdfs":
        return cls(**cls._get_kwargs_from_urls(f"{scheme}://{authority}/")), path or "/"
    fs = fsspec.filesystem(scheme, use_listings_cache=False)
    return fs, fs._strip_protocol(uri)


def _class_for(uri: str, scheme: str) -> type[fsspec.AbstractFileSystem]:
    try:
        found: type[fsspec.AbstractFileSystem] = fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:  # its library is missing, or nobody knows the scheme
        raise StorageError(
            uri,
            f"there is nothing that reads {scheme}://",
            facts=[("found", str(error))],
            effect="nothing was read",
        ) from error
    return found


@lru_cache
def _hadoop(scheme: str, authority: str, hadoop_conf: str | None) -> fsspec.AbstractFileSystem:
    """Return hdfs-native's file system, with a configuration folder of its own and with paths as they are.

    The one that fsspec makes takes no folder, and reads a path as a URL: it would cut ``/t/what?`` short.
    """
    from hdfs_native import Client

    class Hadoop(fsspec.get_filesystem_class(scheme)):  # type: ignore[misc]  # fsspec has no types
        cachable = False

        def __init__(self) -> None:
            fsspec.AbstractFileSystem.__init__(self)
            self.host, self.port = authority, None
            self.client = Client(f"{scheme}://{authority}", config_dir=hadoop_conf)

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return split_uri(path)[2] or "/"

    return Hadoop()


def list_files(uri: str) -> list[FileEntry]:
    """Return every data file below ``uri``, sorted by path; an absent folder has none.

    Raises:
        StorageError: The file system refused or could not be reached.
    """
    try:
        return find_files(uri)
    except FileNotFoundError:
        return []


def find_files(uri: str, hadoop_conf: Path | None = None) -> list[FileEntry]:
    """Return every data file below ``uri``, or the file that it is, sorted by path.

    Raises:
        FileNotFoundError: There is nothing of that name.
        StorageError: The file system refused or could not be reached: a folder that cannot be listed is
            never taken for an empty one.
    """
    with storage_errors(uri):
        fs, root = filesystem(uri, hadoop_conf)
        if is_local(uri):
            found = _walk_local(root)
        elif split_uri(uri)[0] in _OBJECT_STORES:
            found = _walk_objects(fs, root)
        else:
            found = _walk(fs, root)
        return sorted(found, key=lambda entry: entry.path)


def _walk_local(root: str) -> Iterator[FileEntry]:
    def entry(path: str, relative: str, detail: os.stat_result) -> FileEntry:
        stamp = (detail.st_size, detail.st_mtime_ns, detail.st_ino)
        return FileEntry(path, relative, detail.st_size, stamp, not stat.S_ISREG(detail.st_mode))

    detail = os.stat(root)
    if not os.path.isdir(root):
        yield entry(root, os.path.basename(root), detail)
        return
    folders, seen = [(root.rstrip("/"), "")], {(detail.st_dev, detail.st_ino)}
    while folders:
        folder, prefix = folders.pop()
        with os.scandir(folder or "/") as children:
            for child in children:
                if child.name[0] in "._":
                    continue
                path, relative = f"{folder}/{child.name}", f"{prefix}{child.name}"
                try:
                    detail = child.stat()
                except FileNotFoundError:  # deleted just now, or a link to nowhere: reading it will tell
                    yield FileEntry(path, relative, 0)
                    continue
                if not child.is_dir():
                    yield entry(path, relative, detail)
                elif (identity := (detail.st_dev, detail.st_ino)) not in seen:  # links may lead in circles
                    seen.add(identity)
                    folders.append((path, f"{relative}/"))


def _walk(fs: fsspec.AbstractFileSystem, root: str) -> Iterator[FileEntry]:
    """Walk by listing each folder. ``fs.find`` would leave out what it fails to list, without a word."""
    detail = fs.info(root)
    if detail["type"] != "directory":
        yield _entry(detail, root, root.rpartition("/")[2])
        return
    folders = [(root, "")]
    while folders:
        folder, prefix = folders.pop()
        for detail in fs.ls(folder, detail=True):
            path = detail["name"]
            name = path.rstrip("/").rpartition("/")[2]
            if name[:1] in "._":
                continue
            if detail["type"] == "directory":
                folders.append((path, f"{prefix}{name}/"))
            else:
                yield _entry(detail, path, f"{prefix}{name}")


def _walk_objects(fs: fsspec.AbstractFileSystem, root: str) -> Iterator[FileEntry]:
    found = fs.find(root, detail=True)
    if not found:
        fs.info(root)
    for path, detail in found.items():
        relative = path[len(root) :].lstrip("/") or root.rpartition("/")[2]
        hidden = path != root and any(part[:1] in "._" for part in relative.split("/"))
        if not hidden and detail["type"] == "file":
            yield _entry(detail, path, relative)


def _entry(detail: Mapping[str, Any], path: str, relative: str) -> FileEntry:
    size = int(detail["size"] or 0)
    return FileEntry(path, relative, size, (size, *(detail.get(name) for name in _STAMPS)))


def exists(uri: str) -> bool:
    """Say whether a file or folder is there."""
    fs, path = filesystem(uri)
    with storage_errors(uri):
        return bool(fs.exists(path))


def modified_at(uri: str) -> datetime | None:
    """Return when a file or folder was last changed, which is when it landed; None if it is not there.

    Raises:
        StorageError: The file system refused or could not be reached.
    """
    fs, path = filesystem(uri)
    with storage_errors(uri):
        try:
            changed = fs.modified(path)
        except FileNotFoundError:
            return None
    assert isinstance(changed, datetime)
    return changed.astimezone(UTC)  # hdfs-native gives this machine's wall clock, the others an instant


def make_directory(uri: str) -> None:
    """Create a folder and its parents; an existing one is fine."""
    fs, path = filesystem(uri)
    with storage_errors(uri):
        fs.makedirs(path, exist_ok=True)


def delete_tree(uri: str) -> None:
    """Delete a folder and all below it; an absent one is fine. The caller knows that nobody reads it."""
    fs, path = filesystem(uri)
    with storage_errors(uri):
        if fs.exists(path):
            fs.rm(path, recursive=True)


def free_bytes(uri: str) -> int | None:
    """Return the free bytes of a local warehouse; ``None`` where the file system does not tell."""
    if not is_local(uri):
        return None
    _, path = filesystem(uri)
    with storage_errors(uri):
        make_directory(uri)
        return shutil.disk_usage(path).free


@contextmanager
def storage_errors(uri: str) -> Iterator[None]:
    """Turn what a file system raises into :class:`StorageError`, naming ``uri``."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError) as error:  # hdfs-native raises RuntimeError for what a NameNode refuses
        raise StorageError(
            uri,
            "the file system refused",
            facts=[("found", str(error).splitlines()[0][:300] if str(error) else type(error).__name__)],
            effect="nothing was published",
            next_steps=["dataplat check --connect"],
        ) from error
