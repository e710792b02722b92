"""Who holds the embedded catalog, asked before a second Spark process would run into it.

Derby lets one process in. The second finds out after half a minute of retries, and over Spark Connect the
reason does not even arrive. So the lock that Derby takes on ``dbex.lck`` is tried first, which costs
nothing and changes nothing: the catalog is free again at once.
"""

import fcntl
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataplat.engine.conf import EngineHome
from dataplat.engine.local_server import server_status
from dataplat.errors import EngineError

_LOCK = "dbex.lck"


def is_catalog_held(catalog: Path) -> bool:
    """Say whether some process has the embedded catalog open."""
    try:
        with (catalog / _LOCK).open("r+b") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def catalog_in_use(subject: str, holders: Sequence[str] = ()) -> EngineError:
    """Return the error of a second engine that wants the embedded catalog."""
    return EngineError(
        subject,
        "the embedded catalog is in use by another Spark process",
        facts=[
            ("expected", "one Spark process for each home while no metastore is configured"),
            ("found", ", ".join(holders) or "another process holds the catalog"),
        ],
        effect="nothing was published: what was visible before is still visible",
        next_steps=["dataplat engine stop", "set hive.metastore.uris in platform.yaml"],
    )


def other_engines(home: EngineHome) -> list[str]:
    """Return the other local engines of a home that run, as a message names them."""
    directories = home.directory.parent.glob("*/")
    others = {path.name: replace(home, directory=path) for path in directories if path != home.directory}
    found = [(name, server_status(other)) for name, other in sorted(others.items())]
    return [f"engine {name}, process {status.pid}" for name, status in found if status.running]
