"""Version names, and where a version's files lie.

A version is one write of one or more partitions. Its files lie under the table's own location, apart
from every other version, so that two loads never share a directory::

    <table location>/_versions/20260302T020109-4f1c9a/ds=2026-01-09/hr=05

A directory that begins with ``_`` is invisible to whoever lists the table's location.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from dataplat.plan.hive_paths import hive_path

VERSIONS_DIRECTORY = "_versions"
_TOKEN = re.compile(r"[0-9a-f]{6,32}")
_VERSION = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{6,32}")
_IN_LOCATION = re.compile(rf"/{VERSIONS_DIRECTORY}/({_VERSION.pattern})(?:/|\Z)")


def new_version(now: datetime, token: str) -> str:
    """Return the name of a version that begins ``now``.

    The time is there for people and is what the clock of ``now``'s zone shows (callers pass the
    platform's zone). The token makes it unique. Order by the ledger's times, not by names: in autumn an
    hour is shown twice.

    Raises:
        ValueError: If ``now`` is naive or ``token`` is not 6 to 32 lower-case hex digits.

    >>> new_version(datetime.fromisoformat("2026-03-02T02:01:09+08:00"), "4f1c9a")
    '20260302T020109-4f1c9a'
    """
    if now.tzinfo is None:
        raise ValueError("a version's time must be aware")
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"{token!r} is no version token: 6 to 32 lower-case hex digits")
    return f"{now:%Y%m%dT%H%M%S}-{token}"


def is_version(name: str) -> bool:
    """Return whether a directory's name is one that ``new_version`` makes."""
    return _VERSION.fullmatch(name) is not None


def version_location(table_location: str, version: str, columns: Sequence[tuple[str, str]] = ()) -> str:
    """Return where one partition of a version lies, or the whole version if no columns are given.

    Raises:
        ValueError: If ``version`` is no version name: a wrong one could escape the directory.

    >>> version_location("file:///w/ods.db/x", "20260302T020109-4f1c9a", [("ds", "2026-01-09")])
    'file:///w/ods.db/x/_versions/20260302T020109-4f1c9a/ds=2026-01-09'
    """
    if not is_version(version):
        raise ValueError(f"{version!r} is no version name")
    root = f"{table_location.rstrip('/')}/{VERSIONS_DIRECTORY}/{version}"
    return f"{root}/{hive_path(columns)}" if columns else root


def version_of(location: str) -> str | None:
    """Return the version that a location belongs to, or ``None`` if dataplat did not write it.

    >>> version_of("file:///w/ods.db/x/_versions/20260302T020109-4f1c9a/ds=2026-01-09")
    '20260302T020109-4f1c9a'
    """
    found = _IN_LOCATION.search(location)
    return found[1] if found else None
