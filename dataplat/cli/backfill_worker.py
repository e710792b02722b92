"""A process that carries out runs of a backfill, one after the other, as the command that started it says.

Orders come as lines of JSON on stdin, events go as lines of JSON to stdout; whatever else prints goes to
stderr. When stdin ends, the command is gone or has no more to do: what is under way is then interrupted as
Ctrl-C would, so that nothing goes on unseen after a command that was killed.
"""

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from dataplat.cli.failures import INTERRUPTED
from dataplat.cli.session import Session
from dataplat.errors import DataplatError

if TYPE_CHECKING:
    from dataplat.lifecycle.report import LoadReport, Progress

Say = Callable[..., None]
PLAN_TAG = "dataplat/backfill"
_WAIT_SECONDS = 600  # for a load of the same partition, which automation may have launched


class _Orders:
    """Lines of stdin, read beside what the process does, so that their end is noticed at once."""

    def __init__(self, stream: TextIO) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stream = stream
        self._busy = False
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> str:
        """Return the next order; empty when there is none any more."""
        line = self._lines.get()
        self._busy = bool(line)
        return line

    def done(self) -> None:
        """Hear that the order is carried out: from now on the end of stdin interrupts nothing."""
        self._busy = False

    def _read(self) -> None:
        for line in self._stream:
            self._lines.put(line)
        if self._busy:
            os.kill(os.getpid(), signal.SIGINT)
        self._lines.put("")


def work(session: Session, plan: str, orders: _Orders, say: Say) -> None:
    """Carry out orders until there are none: ``{"table": …, "keys": […]}`` each."""
    from dataplat.orchestration.launch import run_table
    from dataplat.orchestration.observer import Observer

    platform, instance = session.platform, session.instance
    say("ready")
    while line := orders.next():
        order = json.loads(line)
        errors: list[DataplatError] = []
        observer = Observer(
            progress=lambda progress: _step(say, progress),
            report=lambda report: _read_ended(say, report),
            failed=errors.append,
            waiting=lambda text: say("step", text=text),
            wait_seconds=_WAIT_SECONDS,
            command=session.command,
        )
        spec = session.catalog.any_table(order["table"])
        results = run_table(platform, instance, spec, order["keys"], observer, {PLAN_TAG: plan})
        orders.done()
        last = errors[-1] if errors else None
        say(
            "ended",
            runs={key: result.run_id for result in results for key in result.partitions},
            messages={key: result.message for result in results for key in result.partitions},
            error=type(last).__name__ if last else "",
            retryable=last is not None and last.retryable,
        )


def _step(say: Say, progress: "Progress") -> None:
    from dataplat.cli.progress import subject

    if progress.step != "done":
        say(
            "step", text=f"{subject(progress.table, progress.partitions)}  {progress.step}  {progress.detail}"
        )


def _read_ended(say: Say, report: "LoadReport") -> None:
    say("read", count=len(report.partitions))


def main() -> None:
    """Entry of ``python -m dataplat.cli.backfill_worker PLAN COMMAND``."""
    plan, command = sys.argv[1:]
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(event: str, **facts: Any) -> None:
        print(json.dumps({"event": event, **facts}, ensure_ascii=False), file=events, flush=True)

    session = Session(dict(os.environ), command)
    try:
        work(session, plan, _Orders(sys.stdin), say)
    except (KeyboardInterrupt, BrokenPipeError):
        # As in ``cli.main``: an interrupt may leave gRPC's threads waiting for ever.
        os._exit(INTERRUPTED)
    except DataplatError as error:
        say("broken", message=str(error))
    finally:
        session.close()


if __name__ == "__main__":
    main()
