"""Bring a fresh machine to where `make demo` and `make test` work. Standard library only.

What arrives is a clone and a Python. What it becomes: `.venv` with exactly the locked packages, Java, a
MariaDB server, Maven, and the jars of `jars/pom.xml`. A second run looks at hashes and ends in a moment.

What is missing of the system is installed only for root on an apt system; everybody else gets one message
with the command to run. No service is started: the MariaDB package would start its own, so apt is told
not to while it runs. Packages come from the registries that pip, Maven and apt are configured for.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the scripts are no package: nothing is installed yet
from hadoop_without_maven import fetch_hadoop
from system import Missing, SetupError, explain, find_missing, install_or_explain, say

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
TOOLS = VENV / "tools"
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "scripts" / "uv-requirements.txt"
POM = ROOT / "jars" / "pom.xml"
DEBIAN_DRIVER = Path("/usr/share/java/mariadb-java-client.jar")
MAVEN_DEADLINE_SECONDS = 900
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)


def main() -> int:
    """Run the set-up; the exit code is 0 when everything needed is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--for-tests", action="store_true", help="also what only the tests need")
    for_tests = parser.parse_args().for_tests
    try:
        check_python()
        optional = set_up_system(for_tests)
        set_up_python()
        set_up_drivers()
        if for_tests:
            set_up_hadoop()
    except SetupError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    for item in optional:
        say(f"{item.what} is missing: {item.effect}")
    return 0


def set_up_system(for_tests: bool) -> list[Missing]:
    """Bring what the system lacks; return what is still missing and can be lived without."""
    needs_maven = jars_are_old(for_tests)
    missing = find_missing(for_tests=for_tests, needs_maven=needs_maven)
    if not missing:
        return []
    optional = install_or_explain(missing)
    still = [item for item in find_missing(for_tests=for_tests, needs_maven=needs_maven) if not item.effect]
    if still:
        raise SetupError(explain(still))
    return optional


def check_python() -> None:
    """Refuse a Python that the locked packages do not support."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetupError(
            "setup: Python 3.11, 3.12 or 3.13 is needed\n"
            f"  found   {found} ({sys.executable})\n"
            "  effect  nothing was installed\n"
            "  next    make setup PYTHON=python3.11"
        )


def set_up_python() -> None:
    """Make `.venv` hold exactly what the lock says, and this checkout."""
    inputs = fingerprint(LOCK, UV_LOCK, ROOT / "pyproject.toml", text=f"{sys.version_info[:2]} {ROOT}")
    stamp = VENV / ".set-up"
    if is_done(stamp, inputs) and (VENV / "bin" / "python").exists():
        return
    say("Python packages: installing what requirements.lock names")
    if venv_version() != sys.version_info[:2]:
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    if not (TOOLS / "bin" / "pip").exists():
        run([sys.executable, "-m", "venv", "--clear", str(TOOLS)])
    run([str(TOOLS / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(UV_LOCK)])
    uv = [str(TOOLS / "bin" / "uv"), "--quiet", "pip"]
    python = ["--python", str(VENV / "bin" / "python")]
    environ = {**os.environ, **registries_of_pip()}
    run([*uv, "sync", *python, "--require-hashes", str(LOCK)], environ)
    run([*uv, "install", *python, "--no-deps", "--editable", str(ROOT)], environ)
    stamp.write_text(inputs)


def venv_version() -> tuple[int, ...]:
    """Return the version of the Python in `.venv`, or () when there is none that runs."""
    python = VENV / "bin" / "python"
    question = "import sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([str(python), "-c", question], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(int(part) for part in answer.stdout.split())


def registries_of_pip() -> dict[str, str]:
    """Return for uv what pip is configured with: uv does not read pip's files. What is set stays."""
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
    listing = subprocess.run(
        [str(TOOLS / "bin" / "pip"), "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listing, re.MULTILINE)
    return {names[key]: value for key, value in found if key in names and names[key] not in os.environ}


def set_up_drivers() -> None:
    """Fill `jars/lib`; where Maven finds no registry, with the driver of the Debian package."""
    inputs, target = fingerprint(POM), ROOT / "jars" / "lib"
    if is_done(target / ".set-up", inputs):
        return
    say("JDBC drivers: fetching what jars/pom.xml names")
    trouble = copy_jars("drivers", target)
    if trouble:
        use_debian_driver(target, trouble)
    (target / ".set-up").write_text(inputs)


def use_debian_driver(target: Path, trouble: str) -> None:
    """Put the driver of libmariadb-java into place of Maven's."""
    if not DEBIAN_DRIVER.exists():
        install_or_explain(
            [Missing("MariaDB's JDBC driver (Maven could not fetch it)", ("libmariadb-java",))]
        )
    if not DEBIAN_DRIVER.exists():
        raise SetupError(f"setup: the JDBC driver could not be fetched\n{trouble}")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(DEBIAN_DRIVER, target / DEBIAN_DRIVER.name)
    say("JDBC drivers: Maven could not fetch them, so the one of the package libmariadb-java is used")


def set_up_hadoop() -> None:
    """Fill `jars/hadoop`; without it the tests on a real HDFS have nothing to run."""
    inputs, target = fingerprint(POM), ROOT / "jars" / "hadoop"
    if is_done(target / ".set-up", inputs):
        return
    say("Hadoop for the tests: fetching what jars/pom.xml names")
    trouble = copy_jars("hdfs", target)
    if trouble:
        say("Hadoop for the tests: Maven could not fetch it, taking 2.7.3 out of an old pyspark")
        trouble = fetch_hadoop(TOOLS / "bin" / "pip", target)
    if trouble:
        say(f"Hadoop for the tests: could not be fetched, the tests on HDFS cannot run\n{trouble}")
        return
    (target / ".set-up").write_text(inputs)


def copy_jars(profile: str, target: Path) -> str:
    """Replace a folder by the jars of one profile, whole; return what Maven said if it could not."""
    maven = shutil.which("mvn")
    if maven is None:
        return "mvn is not installed"
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [maven, "--quiet", "--batch-mode", "--file", str(POM), "--activate-profiles", profile]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={unfinished}"]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=MAVEN_DEADLINE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"mvn gave no result within {MAVEN_DEADLINE_SECONDS} s"
    if result.returncode != 0 or not unfinished.is_dir():
        return (result.stdout + result.stderr)[-2000:]
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
    return ""


def jars_are_old(for_tests: bool) -> bool:
    """Say whether Maven has work to do."""
    folders = ["lib", "hadoop"] if for_tests else ["lib"]
    return not all(is_done(ROOT / "jars" / folder / ".set-up", fingerprint(POM)) for folder in folders)


def fingerprint(*files: Path, text: str = "") -> str:
    """Return a hash of everything that decides whether a step must run again."""
    digest = hashlib.sha256(text.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_done(stamp: Path, inputs: str) -> bool:
    """Say whether a step ran to its end with these inputs."""
    return stamp.is_file() and stamp.read_text() == inputs


def run(command: list[str], environ: dict[str, str] | None = None) -> None:
    """Run a command with its output shown. Raises SetupError when it fails."""
    code = subprocess.run(command, env=environ, check=False).returncode
    if code != 0:
        raise SetupError(f"setup: this command ended with code {code}\n  {' '.join(command)}")


if __name__ == "__main__":
    sys.exit(main())
