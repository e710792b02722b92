"""What the environment decides, read once, by ``definitions`` and ``cli``, and passed down from there.

Nothing else in the package looks at environment variables, the working directory or the login name.
"""

import os
import pwd
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = ".dataplat"


@dataclass(frozen=True)
class Settings:
    """Where this process finds things, and on whose behalf it works. All paths are absolute.

    Args:
        config_dir: The configuration folder.
        home: What the platform keeps on this machine: ledger, local warehouse, engine state, logs.
        actor: Who is recorded for what this process does.
        hadoop_conf_dir: Folder of core-site.xml and hdfs-site.xml, if there is one.
        dagster_home: Dagster's own home, where dagster.yaml is.
        jars_dir: The JVM drivers.
    """

    config_dir: Path
    home: Path
    actor: str
    hadoop_conf_dir: Path | None
    dagster_home: Path
    jars_dir: Path


def read_settings(
    environ: Mapping[str, str],
    *,
    config: str | Path | None = None,
    platform_home: str | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Return the settings of this process. Reads no file.

    Precedence, everywhere: what is said on the command line, then the environment, then the configuration,
    then the default. The configuration folder is ``--config``, ``DATAPLAT_CONFIG``, or ``config`` in the
    working directory. The home is ``DATAPLAT_HOME``, ``home`` of platform.yaml (``platform_home``, known
    once the configuration is loaded), or ``.dataplat``; like every relative path of the platform it counts
    from the folder that holds the configuration folder. The actor is ``DATAPLAT_ACTOR`` or the login at this
    host. Hadoop's files are in ``HADOOP_CONF_DIR`` or ``$HADOOP_HOME/etc/hadoop``, Dagster's in
    ``DAGSTER_HOME`` or ``dagster`` in the home, the jars in ``DATAPLAT_JARS`` or ``jars/lib`` beside the
    configuration folder. An empty variable counts as unset.
    """
    here = cwd or Path.cwd()
    config_dir = _absolute(config or environ.get("DATAPLAT_CONFIG") or "config", here)
    root = config_dir.parent
    home = _absolute(environ.get("DATAPLAT_HOME") or platform_home or DEFAULT_HOME, root)
    hadoop_home = environ.get("HADOOP_HOME")
    hadoop = environ.get("HADOOP_CONF_DIR") or (f"{hadoop_home}/etc/hadoop" if hadoop_home else None)
    return Settings(
        config_dir=config_dir,
        home=home,
        actor=environ.get("DATAPLAT_ACTOR") or _login(),
        hadoop_conf_dir=_absolute(hadoop, here) if hadoop else None,
        dagster_home=_absolute(environ.get("DAGSTER_HOME") or home / "dagster", here),
        jars_dir=_absolute(environ.get("DATAPLAT_JARS") or "jars/lib", root),
    )


def _absolute(path: str | Path, base: Path) -> Path:
    return Path(os.path.normpath(base / Path(path).expanduser()))


def _login() -> str:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        name = f"uid{os.getuid()}"
    return f"{name}@{socket.gethostname()}"
