"""A worker of a backfill without an engine: it records in the ledger what a load would, as ``fates`` says.

``python backfill_fake_worker.py LEDGER FATES``. Fates are by table and partition: ``rejected``, ``broken``
(the whole run breaks), ``unreachable`` (it breaks, and trying again would help), ``closed`` (its gate is),
``gives up``, ``dies``; else it is published.
"""

import json
import os
import sys

from dataplat.ledger import Ledger, TableVersion, VersionState
from dataplat_tests.unit.ledger.builders import someone

BREAKS = {"broken": "EngineError", "unreachable": "SourceUnavailableError", "closed": "GateClosedError"}


def say(event: str, **facts: object) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def carry_out(ledger: Ledger, table: str, keys: list[str], fates: dict[str, str], run: str) -> str:
    found = [fates.get(f"{table} {key}", "") for key in keys]
    if "dies" in found:
        print("out of memory", file=sys.stderr, flush=True)
        os._exit(9)
    if "gives up" in found:
        say("broken", message="ledger: it cannot be opened")
        sys.exit(0)
    broken = next((fate for fate in found if fate in BREAKS), "")
    if broken in ("broken", "unreachable"):
        return broken
    for key, fate in zip(keys, found, strict=True):
        if fate == "closed":
            continue
        version = f"{run}-{key}"
        ledger.begin([TableVersion(table=table, partition=key, version=version, run_id=run)])
        if fate == "rejected":
            ledger.advance(table, version, [key], VersionState.REJECTED, reason="3 rows too many")
            continue
        ledger.advance(table, version, [key], VersionState.STAGED)
        with ledger.lock_partitions(table, [key], someone(), wait_seconds=0) as locks:
            ledger.advance(table, version, [key], VersionState.PUBLISHING)
            ledger.publish(table, version, [key], locks)
    return broken


def main() -> None:
    url, fates = sys.argv[1], json.loads(sys.argv[2])
    say("ready")
    with Ledger.open(url) as ledger:
        for number, line in enumerate(sys.stdin):
            order = json.loads(line)
            run = f"run-{os.getpid()}-{number}"
            say("step", text=f"{order['table']} stage")
            broken = carry_out(ledger, order["table"], order["keys"], fates, run)
            name = f"{order['table']}[{order['keys'][0]}]"
            say(
                "ended",
                runs=dict.fromkeys(order["keys"], run),
                messages=dict.fromkeys(order["keys"], f"{name}: it went wrong: {broken or 'rejected'}"),
                error=BREAKS.get(broken, ""),
                retryable=broken == "unreachable",
            )


if __name__ == "__main__":
    main()
