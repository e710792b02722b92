"""Whether partitions of external tables are ready: asked, and remembered where the gate looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dataplat.errors import DataplatError
from dataplat.ledger import Arrival, Ledger
from dataplat.plan.partitions import ended_partitions
from dataplat.plan.windows import partition_window
from dataplat.sources.probes import Finding, Prober, probe_url
from dataplat.specs import Catalog, ReadinessSpec, SecretResolver


@dataclass(frozen=True)
class Answer:
    """What the probes of a readiness say of one partition.

    Attributes:
        findings: One for each probe that was asked; after an error there are no more.
        error: Why it could not be decided: something was down, or refused. That is not "not ready".
    """

    name: str
    table: str
    partition: str
    findings: tuple[Finding, ...]
    error: DataplatError | None = None

    @property
    def ready(self) -> bool:
        """Whether every probe says yes."""
        return self.error is None and all(finding.ready for finding in self.findings)

    @property
    def landed_at(self) -> datetime | None:
        """When the last of it landed, as far as the probes can tell."""
        known = [finding.landed_at for finding in self.findings if finding.landed_at is not None]
        return max(known) if self.ready and known else None

    @property
    def evidence(self) -> str:
        """What was expected and found, for the gate and for people."""
        return "; ".join(f"expected {one.expected}, found {one.found}" for one in self.findings)


def ask_partition(catalog: Catalog, secrets: SecretResolver, spec: ReadinessSpec, key: str) -> Answer:
    """Ask every probe about one partition. Raises nothing: what could not be asked is in the answer."""
    zone = catalog.platform.zone
    base = partition_window(key, spec.grain, zone).start.astimezone(zone)
    findings: list[Finding] = []
    try:
        prober = Prober(
            f"{spec.table}[{key}]", probe_url(catalog, secrets, spec), zone, spec.timeout.total_seconds()
        )
        for probe in spec.probes:
            findings.append(prober.ask(probe, base))
    except DataplatError as error:
        return Answer(spec.name, spec.table, key, tuple(findings), error)
    return Answer(spec.name, spec.table, key, tuple(findings))


def record_answer(ledger: Ledger, answer: Answer) -> bool:
    """Remember an answer for the gate; return whether it is another than before. An error is no answer."""
    if answer.error is not None:
        return False
    return ledger.record_arrival(
        Arrival(
            table=answer.table,
            partition=answer.partition,
            ready=answer.ready,
            landed_at=answer.landed_at,
            evidence=answer.evidence,
        )
    )


def open_partitions(catalog: Catalog, spec: ReadinessSpec, now: datetime) -> Sequence[str]:
    """Return the partitions that are asked about: those that ended within the lookback, the oldest first."""
    assert spec.start is not None, "load_catalog fills it in"
    zone = catalog.platform.zone
    return ended_partitions(spec.grain, first=spec.start, now=now, zone=zone, lookback=spec.lookback)
