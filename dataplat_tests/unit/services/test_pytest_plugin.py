"""A skip is green on a laptop and red where everything is required; an expected failure is neither."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ONE_OF_EACH = """
import pytest

def test_passes():
    pass

@pytest.mark.xfail(strict=True)
def test_is_known_to_fail():
    assert False

def test_needs_what_is_not_there():
    pytest.skip("no such server")
"""
INTERRUPTED = """
import signal
import subprocess
import sys

def test_a_child_hears_ctrl_c():
    code = "import sys, time; print('up', flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"up\\n"
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == -signal.SIGINT
"""
NOTES_ITS_PROCESS = """
import os
import pytest

@pytest.mark.parametrize("number", range(3))
def test_notes_where_it_runs(number):
    with open({notes!r}, "a") as file:
        print(os.getpid(), file=file)
"""
SKIPPED_WHOLE = "import pytest\npytest.skip('not on this machine', allow_module_level=True)\n"


@pytest.mark.parametrize(
    ("required", "exit_code", "closing"),
    [("0", 0, "1 passed, 1 skipped, 1 xfailed"), ("1", 1, "1 failed, 1 passed, 1 xfailed")],
)
def test_a_skipped_test_fails_only_where_all_is_required(
    tmp_path: Path, required: str, exit_code: int, closing: str
) -> None:
    (tmp_path / "test_each.py").write_text(ONE_OF_EACH)
    code, output = run_pytest(tmp_path, required)
    assert code == exit_code
    assert closing in output
    assert "no such server" in output


@pytest.mark.parametrize(("required", "exit_code"), [("0", 5), ("1", 2)])
def test_a_skipped_module_fails_only_where_all_is_required(
    tmp_path: Path, required: str, exit_code: int
) -> None:
    (tmp_path / "test_whole.py").write_text(SKIPPED_WHOLE)
    code, output = run_pytest(tmp_path, required)
    assert code == exit_code
    assert "not on this machine" in output


def test_what_is_started_in_the_background_can_be_interrupted_all_the_same(tmp_path: Path) -> None:
    """A shell lets what it starts with ``&`` ignore SIGINT."""
    (tmp_path / "test_interrupt.py").write_text(INTERRUPTED)
    code, output = run_pytest(tmp_path, "1", "env", "--ignore-signal=INT")
    assert code == 0, output


def test_a_file_and_all_of_e2e_stay_in_one_process(tmp_path: Path) -> None:
    for name in ("e2e/test_one", "e2e/test_two", "unit/test_one", "unit/test_two"):
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        notes = tmp_path / f"{name.replace('/', '_')}.pids"
        file.write_text(NOTES_ITS_PROCESS.format(notes=str(notes)))
    together = ["-n", "2", "--no-loadscope-reorder", "--import-mode=importlib"]
    code, output = run_pytest(tmp_path, "1", options=together)
    assert code == 0, output
    seen = {path.stem: set(path.read_text().split()) for path in tmp_path.glob("*.pids")}
    assert {name: len(pids) for name, pids in seen.items()} == dict.fromkeys(seen, 1)
    assert len(seen) == 4
    assert seen["e2e_test_one"] == seen["e2e_test_two"]


def run_pytest(folder: Path, required: str, *prefix: str, options: Sequence[str] = ()) -> tuple[int, str]:
    options = [
        *options,
        "-p",
        "dataplat_tests.services.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "-ra",
        "-c",
        os.devnull,
    ]
    result = subprocess.run(
        [*prefix, sys.executable, "-m", "pytest", *options, "-c", os.devnull, str(folder)],
        env={**os.environ, "DATAPLAT_REQUIRE_ALL": required},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr
