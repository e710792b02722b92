"""What the system itself must have: Java, MariaDB, Maven, a browser. Found, installed, or explained.

Only root on an apt system installs. apt's MariaDB package starts a service when it is unpacked; while apt
runs, a policy file says no, and afterwards the policy that was there before is back.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OLDEST_JAVA = 17
JAVA_PACKAGES = (17, 21)  # Debian 12 and Ubuntu have the first, Debian 13 the second
POLICY = Path("/usr/sbin/policy-rc.d")
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin:/usr/local/bin"


class SetupError(Exception):
    """The machine cannot be set up; the text says what to do."""


@dataclass(frozen=True)
class Missing:
    """One thing that the machine lacks, and the packages that bring it."""

    what: str
    apt: tuple[str, ...]
    brew: tuple[str, ...] = ()
    effect: str = ""  # of living without it; empty when that is impossible


def say(text: str) -> None:
    """Tell the person at the terminal what happens now."""
    sys.stdout.write(f"setup: {text}\n")
    sys.stdout.flush()


def find_missing(*, for_tests: bool, needs_maven: bool) -> list[Missing]:
    """Return what this machine lacks, looking at programs only: nothing is changed."""
    missing = []
    if importlib.util.find_spec("ensurepip") is None:
        minor = sys.version_info[1]
        missing.append(Missing("Python's venv module", (f"python3.{minor}-venv",)))
    java = java_version()
    if java is None or java < OLDEST_JAVA or (for_tests and java_program("javac") is None):
        kind = "jdk" if for_tests else "jre"
        home = os.environ.get("JAVA_HOME", "not set")
        what = f"Java {OLDEST_JAVA} or newer ({kind.upper()}); found {java or 'none'}, JAVA_HOME is {home}"
        missing.append(Missing(what, (f"openjdk-{{}}-{kind}-headless",), (f"openjdk@{OLDEST_JAVA}",)))
    if not all(find_program(name) for name in ("mariadbd", "mariadb-install-db")):
        missing.append(Missing("a MariaDB server (mariadbd)", ("mariadb-server",), ("mariadb",)))
    if needs_maven and shutil.which("mvn") is None:
        missing.append(Missing("Maven (mvn)", ("maven",), ("maven",)))
    if for_tests and not (shutil.which("chromium") and shutil.which("chromedriver")):
        packages = ("chromium", "chromium-driver")
        effect = "the tests in a browser cannot run"
        missing.append(Missing("Chromium with its driver", packages, ("chromium", "chromedriver"), effect))
    return missing


def install_or_explain(missing: Sequence[Missing]) -> list[Missing]:
    """Install what is missing as root with apt; return what is still missing and can be lived without.

    Raises:
        SetupError: Something needed is missing and is not ours to install: the text holds the command.
    """
    if not missing:
        return []
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        if all(item.effect for item in missing):
            return list(missing)
        raise SetupError(explain(missing))
    apt = ["apt-get", "-y", "-q", "-o", "Dpkg::Use-Pty=0"]
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say("installing with apt: " + ", ".join(item.what for item in missing))
    subprocess.run([*apt, "update"], env=environ, stdout=subprocess.DEVNULL, check=False)
    failed = []
    with no_service_starts():
        for item in missing:
            packages = [available(package) for package in item.apt]
            command = [*apt, "install", "--no-install-recommends", *packages]
            if subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=False).returncode != 0:
                failed.append(item)
    if not all(item.effect for item in failed):
        raise SetupError(explain(failed))
    return failed


def explain(missing: Sequence[Missing]) -> str:
    """Return one message: what is missing, and the command that brings it."""
    lines = ["setup: this machine lacks something, and only you can install it"]
    lines += [f"  missing  {item.what}" for item in missing]
    lines.append("  effect   nothing was installed")
    if sys.platform == "darwin":
        lines.append(
            f"  next     brew install {' '.join(package for item in missing for package in item.brew)}"
        )
        lines.append('           export JAVA_HOME="$(brew --prefix openjdk@17)"')
    else:
        packages = " ".join(available(package) for item in missing for package in item.apt)
        lines.append(f"  next     sudo apt-get update && sudo apt-get install -y {packages}")
        if "mariadb-server" in packages:
            lines.append("           (that package starts a service of its own, which is not used here)")
    return "\n".join(lines)


def available(package: str) -> str:
    """Fill in the newest Java that we know and that apt has; a package without a gap is itself."""
    candidates = [package.format(version) for version in JAVA_PACKAGES]
    known = (name for name in candidates if shutil.which("apt-cache") and _apt_knows(name))
    return next(known, candidates[0])


def _apt_knows(package: str) -> bool:
    answer = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)
    return answer.returncode == 0


@contextmanager
def no_service_starts(policy: Path = POLICY) -> Iterator[None]:
    """Keep packages from starting services during the block, then put the old policy back."""
    before = policy.read_bytes() if policy.exists() else None
    mode = policy.stat().st_mode if before is not None else 0
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            policy.unlink()
        else:
            policy.write_bytes(before)
            policy.chmod(mode)


def java_version() -> int | None:
    """Return the major version of the Java that will be used, or None when there is none."""
    java = java_program("java")
    if java is None:
        return None
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    return parse_java_version(answer.stderr + answer.stdout)


def parse_java_version(text: str) -> int | None:
    """Return the major version in what `java -version` says: 1.8 is 8, 17.0.15 and 25-ea are 17 and 25."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def java_program(name: str) -> str | None:
    """Return a program of the JDK: JAVA_HOME's, or the one on PATH when JAVA_HOME is not set."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which(name, path=f"{home}/bin") if home else shutil.which(name)


def find_program(name: str) -> str | None:
    """Return a server program's path; /usr/sbin is not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)
