"""A tiny process that outlives a killed one by a moment, and ends its queries at the sources.

``kill -9`` leaves a process no time to end anything. So each process that asks sources keeps a child, in
a session of its own that no Ctrl-C reaches, which reads what to watch from a pipe. The end of the pipe
is the end of the parent. Passwords travel through the pipe: they are on no command line and in no file.

The child is this file, run without site-packages until it is needed: 10 ms of a processor and 9 MB. It
dies with its machine and with its container; then whoever next asks for connections of the same source
ends what is left (``ConnectionBook``).
"""

import json
import os
import select
import sys

QUIET_SECONDS = 20
PATIENCE_SECONDS = 600


def read_orders(stream: int, parent: int) -> dict[str, dict[str, object]]:
    """Follow what is watched until the parent is gone, and return what was watched then."""
    watched: dict[str, dict[str, object]] = {}
    left = b""
    while True:
        if not select.select([stream], [], [], 1.0)[0]:
            if os.getppid() != parent:  # somebody else holds the other end, a fork of the parent
                break
            continue
        read = os.read(stream, 65536)
        if not read:
            break
        *lines, left = (left + read).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if order["account"] is None:
                watched.pop(order["token"], None)
            else:
                watched[order["token"]] = order
    return watched


def main() -> None:
    """Watch, and end what is left."""
    watched = read_orders(sys.stdin.fileno(), int(sys.argv[1]))
    by_account: dict[str, list[str]] = {}
    for token, order in watched.items():
        by_account.setdefault(json.dumps(order["account"]), []).append(token)
    if not by_account:
        return
    sys.path[:] = json.loads(sys.argv[2])
    from threading import Thread

    from dataplat.sources.running_queries import Account, end_queries

    def end(account: str, tokens: list[str]) -> None:
        end_queries(
            Account(**json.loads(account)),
            tokens,
            patience_seconds=PATIENCE_SECONDS,
            quiet_seconds=QUIET_SECONDS,
        )

    for account, tokens in by_account.items():
        Thread(target=end, args=(account, tokens)).start()


if __name__ == "__main__":
    main()
