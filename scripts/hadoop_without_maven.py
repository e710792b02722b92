"""A NameNode and a DataNode for the tests where Maven's registry cannot be reached.

What arrives is pip and apt. What it becomes is a folder of jars with Hadoop 2.7.3's server classes: an old
pyspark carries them in its sdist, all but JAX-RS, which Debian packages. Downloaded packages are unpacked,
not installed. That Hadoop is long out of support and never ran on Java 17 upstream, where it does: it serves
on loopback, for tests, and nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SDIST = "pyspark==2.4.8 --hash=sha256:{sha256}"
SDIST_SHA256 = "3a19b71b8dc8dd91ebc943604a05e1ab01bce052456d42937035632d852d78dc"
BUILD_CONSTRAINT = "pypandoc<1.8"  # its setup.py calls a function that newer ones lost
WANTED = re.compile(
    r"(hadoop-(annotations|auth|common|hdfs)|apache-log4j-extras|avro|commons-(beanutils|cli|codec|collections"
    r"|configuration|digester|httpclient|io|lang|logging|math3|net)|curator-\w+|guava|gson|htrace-core|httpclient"
    r"|httpcore|jackson-(core|mapper)-asl|javax\.servlet-api|jaxb-api|activation|jetty|jetty-util|leveldbjni-all"
    r"|log4j|netty|netty-all|paranamer|protobuf-java|slf4j-api|slf4j-log4j12|snappy-java|xercesImpl|xmlenc"
    r"|zookeeper|api-util|api-asn1-api|apacheds-[a-z0-9-]+)-[0-9][\w.-]*\.jar"
)
DEBS = {
    "libasm-java": "asm.jar",
    "libjersey1-core-java": "jersey1-core.jar",
    "libjersey1-server-java": "jersey1-server.jar",
    "libjersey1-servlet-java": "jersey1-servlet.jar",
    "libjsr311-api-java": "jsr311-api.jar",
}


def fetch_hadoop(pip: Path, target: Path) -> str:
    """Replace a folder by the jars, whole; return what went wrong if they could not be had."""
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        unfinished = work / "jars"
        unfinished.mkdir()
        trouble = _from_sdist(pip, work, unfinished) or _from_debs(work, unfinished)
        if trouble:
            return trouble
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(unfinished, target)
    return ""


def _from_sdist(pip: Path, work: Path, jars: Path) -> str:
    (work / "requirements.txt").write_text(SDIST.format(sha256=SDIST_SHA256) + "\n")
    (work / "constraint.txt").write_text(BUILD_CONSTRAINT + "\n")
    command = [str(pip), "download", "--quiet", "--no-deps", "--no-binary", "pyspark", "--require-hashes"]
    command += ["--dest", str(work), "--requirement", str(work / "requirements.txt")]
    names = ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")  # an older pip knows the first, a newer one the second
    trouble = _run(command, work, dict.fromkeys(names, str(work / "constraint.txt")))
    if trouble:
        return trouble
    [sdist] = work.glob("pyspark-*.tar.gz")
    with tarfile.open(sdist) as archive:
        for member in archive:
            name = Path(member.name).name
            content = archive.extractfile(member) if WANTED.fullmatch(name) else None
            if content is not None:
                with content, (jars / name).open("wb") as file:
                    shutil.copyfileobj(content, file)
    return ""


def _from_debs(work: Path, jars: Path) -> str:
    if shutil.which("apt-get") is None:
        return "apt-get is not installed: JAX-RS comes from Debian's packages"
    trouble = _run(["apt-get", "download", "-q", *DEBS], work)
    for deb in sorted(work.glob("*.deb")):
        trouble = trouble or _run(["dpkg-deb", "-x", str(deb), str(work / "debian")], work)
    if trouble:
        return trouble
    for name in DEBS.values():
        shutil.copyfile(work / "debian" / "usr" / "share" / "java" / name, jars / name)
    return ""


def _run(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if result.returncode == 0 else (result.stdout + result.stderr)[-2000:]
