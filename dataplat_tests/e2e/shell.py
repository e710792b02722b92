"""A person's shell: an empty folder, a home that does not exist yet, 80 columns, no terminal.

The environment is made here, not inherited: nothing of the machine's own configuration reaches what is
tested, and HOME and TMPDIR are folders in which every file that strays can be seen.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
COLUMNS = 80
_PASSED_ON = ("JAVA_HOME", "LANG", "LC_ALL")


@dataclass(frozen=True)
class Done:
    """A command that ended.

    Attributes:
        command: As it was typed.
        code: Its exit code.
        out: What it printed on stdout.
        err: What it printed on stderr.
        listened_on: Addresses on which its processes listened while it ran.
    """

    command: str
    code: int
    out: str
    err: str
    listened_on: frozenset[str] = frozenset()

    @property
    def said(self) -> str:
        """Everything it printed."""
        return self.out + self.err


@dataclass
class Shell:
    """One person's shell below ``folder``; ``environ`` changes as exports are pasted into it."""

    folder: Path
    config: Path = ROOT / "config"
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for stray in (self.cwd, self.folder / "person", self.folder / "tmp"):
            stray.mkdir(parents=True, exist_ok=True)
        programs = Path(sys.executable).parent
        self.environ = {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(self.folder / "person"),
            "TMPDIR": str(self.folder / "tmp"),
            "COLUMNS": str(COLUMNS),
            "DATAPLAT_HOME": str(self.home),
            "DATAPLAT_CONFIG": str(self.config),
            "DATAPLAT_JARS": str(ROOT / "jars" / "lib"),  # a copy of the configuration has none beside it
            **self.environ,
        }

    @property
    def cwd(self) -> Path:
        """Where commands are typed."""
        return self.folder / "here"

    @property
    def home(self) -> Path:
        """Where the platform keeps what it owns."""
        return self.folder / "home"

    def run(self, command: str | Sequence[str], *, deadline_seconds: float = 600) -> Done:
        """Run a command line and return when it ends; it is killed, and the test fails, at the deadline."""
        line = command if isinstance(command, str) else " ".join(command)
        child = subprocess.Popen(
            command,
            shell=isinstance(command, str),
            cwd=self.cwd,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        listened: set[str] = set()
        with child:
            for _ in range(int(deadline_seconds)):
                try:
                    out, err = child.communicate(timeout=1)
                except subprocess.TimeoutExpired:
                    listened |= self.listens_on()
                    continue
                return Done(line, child.returncode, out, err, frozenset(listened))
            child.kill()
        raise AssertionError(f"{line} did not end within {deadline_seconds} s")

    def processes(self) -> list[psutil.Process]:
        """Return every process of this home, however it was started."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def listens_on(self) -> set[str]:
        """Return the addresses on which processes of this home listen, without ports."""
        found: set[str] = set()
        for process in self.processes():
            try:
                connections = process.net_connections(kind="inet")
            except psutil.Error:  # it has ended since
                continue
            found |= {entry.laddr.ip for entry in connections if entry.status == psutil.CONN_LISTEN}
        return found

    def strays(self) -> list[str]:
        """Return what lies around outside the home."""
        return sorted(
            str(path.relative_to(self.folder))
            for folder in (self.cwd, self.folder / "person", self.folder / "tmp")
            for path in folder.rglob("*")
        )

    def paste_exports(self, text: str) -> list[str]:
        """Do what a person does with printed ``export`` lines; return the names."""
        names = []
        for line in text.splitlines():
            if line.strip().startswith("export "):
                name, value = line.strip().removeprefix("export ").split("=", 1)
                self.environ[name] = value
                names.append(name)
        return names

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.pid != os.getpid() and (
                process.environ().get("DATAPLAT_HOME") == str(self.home)
                or any(str(self.folder) in part for part in process.cmdline())
            )
        except psutil.Error:
            return False
