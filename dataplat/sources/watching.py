"""This process's side of the watchdog: told what is under way, so that it can be ended if we are killed."""

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from dataplat.sources import watchdog
from dataplat.sources.running_queries import Account

_END_SECONDS = 5
_lock = threading.Lock()
_child: subprocess.Popen[bytes] | None = None
_child_of = 0
_watched: dict[str, bytes] = {}


def watch(account: Account, token: str) -> None:
    """From now on queries with this token are ended if this process ends before ``forget``."""
    line = json.dumps({"token": token, "account": asdict(account)}).encode() + b"\n"
    with _lock:
        _watched[token] = line
        _send(line)


def forget(token: str) -> None:
    """The work has ended: nothing with this token runs any more."""
    with _lock:
        if _watched.pop(token, None) is not None:
            _send(json.dumps({"token": token, "account": None}).encode() + b"\n")


def _send(line: bytes) -> None:
    try:
        _write(line)
    except BrokenPipeError:  # somebody has killed it
        _end()
        _write(b"".join(_watched.values()))


def _write(lines: bytes) -> None:
    pipe = _running().stdin
    assert pipe is not None
    pipe.write(lines)
    pipe.flush()


def _running() -> "subprocess.Popen[bytes]":
    global _child, _child_of
    if _child is None or _child_of != os.getpid():
        paths = [str(Path(watchdog.__file__).parents[2]), *sys.path]
        _child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(watchdog.__file__)), str(os.getpid()), json.dumps(paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        if not _child_of:
            atexit.register(_end)
        _child_of = os.getpid()
    return _child


def _end() -> None:
    global _child
    if _child is None or _child_of != os.getpid():
        return
    child, _child = _child, None
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        child.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        child.wait(_END_SECONDS)
