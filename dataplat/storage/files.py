"""Listing, making and deleting: the few things dataplat does to a file system itself.

Hidden names (``_SUCCESS``, ``.part-0.crc``, ``_temporary``) are no data, as in Hive and Spark. The rule
applies below the folder that is listed, not to it: versions live under ``_versions``.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import fsspec

from dataplat.errors import StorageError


@dataclass(frozen=True)
class FileEntry:
    """A data file: its path as the file system names it, relative to the listed folder, and its bytes."""

    path: str
    relative: str
    size: int


def filesystem(uri: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the file system of ``uri`` and the path in it. Connections are cached by fsspec."""
    scheme = urlsplit(uri).scheme or "file"
    if scheme == "hdfs":
        parts = urlsplit(uri)
        return fsspec.filesystem("hdfs", host=parts.hostname or "", port=parts.port), parts.path
    fs = fsspec.filesystem(scheme, use_listings_cache=False)
    return fs, fs._strip_protocol(uri)


def list_files(uri: str) -> list[FileEntry]:
    """Return every data file below ``uri``, sorted by path; an absent folder has none.

    Raises:
        StorageError: The file system refused or could not be reached.
    """
    fs, root = filesystem(uri)
    with storage_errors(uri):
        try:
            found = fs.find(root, detail=True)
        except FileNotFoundError:
            return []
    entries = []
    for path, detail in found.items():
        relative = path[len(root) :].lstrip("/")
        if not any(part[:1] in "._" for part in relative.split("/")):
            entries.append(FileEntry(path, relative, int(detail["size"])))
    return sorted(entries, key=lambda entry: entry.path)


def exists(uri: str) -> bool:
    """Say whether a file or folder is there."""
    fs, path = filesystem(uri)
    with storage_errors(uri):
        return bool(fs.exists(path))


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
    scheme = urlsplit(uri).scheme or "file"
    if scheme != "file":
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
