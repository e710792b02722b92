"""The UI of the demo: a taken port, and an end that leaves nothing behind."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dataplat.demo.ui import LOOPBACK, require_free_port, serve_ui
from dataplat.errors import DemoError
from dataplat.settings import read_settings

FAMILY = """\
#!{python}
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


def test_a_taken_port_is_named_with_the_next_one() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoError) as raised:
            require_free_port(port)
    assert str(raised.value) == (
        f"127.0.0.1:{port}: the UI's port is in use\n"
        "  found    Address already in use\n"
        "  effect   nothing was started\n"
        f"  next     dataplat demo --ui --port {port + 1}"
    )


def test_a_free_port_is_fine() -> None:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    require_free_port(port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_us_alone_ends_the_whole_family(number: signal.Signals, tmp_path: Path) -> None:
    serving, grandchild = _serving(tmp_path)
    serving.send_signal(number)
    assert serving.wait(60) == 0
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_the_ui_gives_its_exit_code_and_gives_the_signal_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(_program(tmp_path, "#!/bin/sh\nexit 7\n").parent / "python"))
    before = signal.getsignal(signal.SIGTERM)
    assert serve_ui(read_settings({"DATAPLAT_HOME": str(tmp_path)}), {}, 3000) == 7
    assert signal.getsignal(signal.SIGTERM) is before


def _serving(folder: Path) -> tuple["subprocess.Popen[str]", psutil.Process]:
    program = _program(folder, FAMILY.format(python=sys.executable))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from dataplat.demo.ui import serve_ui\n"
        "from dataplat.settings import read_settings\n"
        f"sys.executable = {str(program.parent / 'python')!r}\n"
        f"raise SystemExit(serve_ui(read_settings({{'DATAPLAT_HOME': {str(folder)!r}}}), {{}}, 3000))\n"
    )
    command = ["env", "--default-signal=INT", sys.executable, "-c", code]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        return child, psutil.Process(int(child.stdout.readline()))


def _program(folder: Path, text: str) -> Path:
    program = folder / "bin" / "dagster"
    program.parent.mkdir()
    program.write_text(text)
    program.chmod(0o755)
    return program
