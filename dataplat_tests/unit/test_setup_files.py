"""The files that make a fresh machine work agree with each other; no engine or server is needed to see it."""

import importlib.util
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
POM_NAMES = {"pom": "http://maven.apache.org/POM/4.0.0"}


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


system = load_script("system")


def direct_requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [
        Requirement(text)
        for text in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    ]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_the_lock_pins_what_pyproject_asks_for(requirement: Requirement) -> None:
    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", LOCK, re.MULTILINE))
    version = pinned.get(canonicalize_name(requirement.name))
    assert version is not None, "run make lock"
    assert requirement.specifier.contains(version, prereleases=True), "run make lock"


@pytest.mark.parametrize("lock", ["requirements.lock", "scripts/uv-requirements.txt"])
def test_every_locked_package_has_a_hash_and_no_lock_names_a_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "index-url" not in text


def test_the_pom_pins_every_version_and_names_no_repository() -> None:
    pom = ElementTree.parse(ROOT / "jars" / "pom.xml").getroot()
    profiles = pom.findall("pom:profiles/pom:profile", POM_NAMES)
    assert [profile.findtext("pom:id", namespaces=POM_NAMES) for profile in profiles] == ["drivers", "hdfs"]
    properties = pom.find("pom:properties", POM_NAMES)
    assert properties is not None
    versions = [item.text or "" for item in properties if item.tag.endswith(".version")]
    assert len(versions) == 2
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    assert pom.findall(".//pom:repository", POM_NAMES) == []


def test_everything_the_dockerfile_copies_exists_and_is_sent_to_docker() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if re.match(r"COPY (?!--from)", line)]
    sources = [source for line in copied for source in line]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(sources) == sent


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER dataplat" in lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]


def test_make_alone_lists_every_target_for_people() -> None:
    listing = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make ([a-z-]+) +\S", listing, re.MULTILINE)
    assert listed == ["help", "setup", "demo", "ui", "test", "test-long", "check", "bench", "lock"]


def test_ci_runs_what_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert script.read_text().splitlines()[-1] == "exec make test"


def test_the_workspace_names_the_code_location_that_pyproject_names() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert workspace["load_from"] == [
        {
            "python_module": {
                "module_name": project["code_location_target_module"],
                "location_name": project["code_location_name"],
            }
        }
    ]


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ("command not found", None),
    ],
)
def test_java_versions_old_and_new_are_understood(said: str, major: int | None) -> None:
    assert system.parse_java_version(said) == major


def test_services_are_kept_from_starting_only_while_apt_runs(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with system.no_service_starts(policy):
        assert subprocess.run([policy], check=False).returncode == 101
    assert not policy.exists()


def test_a_policy_that_was_there_before_is_put_back(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o750)

    def install_and_fail() -> None:
        with system.no_service_starts(policy):
            raise system.SetupError("apt failed")

    with pytest.raises(system.SetupError):
        install_and_fail()
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
    assert policy.stat().st_mode & 0o777 == 0o750


def needed() -> list[object]:
    return [
        system.Missing("Java 17", ("openjdk-17-jre-headless",), ("openjdk@17",)),
        system.Missing("a MariaDB server", ("mariadb-server",), ("mariadb",)),
    ]


def test_on_linux_a_missing_program_comes_with_the_apt_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.sys, "platform", "linux")
    assert system.explain(needed()) == (
        "setup: this machine lacks something, and only you can install it\n"
        "  missing  Java 17\n"
        "  missing  a MariaDB server\n"
        "  effect   nothing was installed\n"
        "  next     sudo apt-get update && sudo apt-get install -y openjdk-17-jre-headless mariadb-server\n"
        "           (that package starts a service of its own, which is not used here)"
    )


def test_on_macos_a_missing_program_comes_with_the_brew_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.sys, "platform", "darwin")
    assert system.explain(needed()) == (
        "setup: this machine lacks something, and only you can install it\n"
        "  missing  Java 17\n"
        "  missing  a MariaDB server\n"
        "  effect   nothing was installed\n"
        "  next     brew install openjdk@17 mariadb\n"
        '           export JAVA_HOME="$(brew --prefix openjdk@17)"'
    )


def test_nothing_is_installed_for_somebody_who_is_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system.subprocess, "run", pytest.fail)
    monkeypatch.setattr(system, "available", lambda package: package)
    with pytest.raises(system.SetupError, match="only you can install it"):
        system.install_or_explain(needed())


def test_what_can_be_lived_without_does_not_stop_the_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    browser = system.Missing("Chromium", ("chromium",), effect="the tests in a browser cannot run")
    assert system.install_or_explain([browser]) == [browser]
