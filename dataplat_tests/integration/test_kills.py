"""Thirty-odd kills: whatever dies, a reader gets a day that is entirely old or entirely new.

A load of two days is killed with -9 at random moments and at the moments that matter most, and so is
the engine under it. A reader polls the metastore and the files in a loop all the while. After every kill
the next load must simply succeed, and ledger and metastore must then say the same.

``DATAPLAT_TEST_EFFORT`` multiplies the kills, ``DATAPLAT_TEST_SEED`` repeats a run.
"""

import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import psutil
import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.engine.local_server import server_status
from dataplat.errors import EngineLostError
from dataplat.ledger import VersionState
from dataplat.lifecycle.publish import same_location
from dataplat.lifecycle.report import Progress, Step
from dataplat.specs import TableSpec
from dataplat_tests.integration.load_worker import POINTS, Job, LoadProcess
from dataplat_tests.integration.reading import Content, Reader
from dataplat_tests.integration.warehouse import Warehouse, verdicts
from dataplat_tests.services.metastore import HiveMetastore

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    # pyspark warns before it raises; in a test that kills its server both are expected.
    pytest.mark.filterwarnings(r"ignore:\[RETRIES_EXCEEDED\]:UserWarning"),
]

EFFORT = float(os.environ.get("DATAPLAT_TEST_EFFORT", "1"))
SEED = int(os.environ.get("DATAPLAT_TEST_SEED", random.SystemRandom().randrange(10**6)))
RANDOM_PROCESS_KILLS = round(14 * EFFORT)
RANDOM_ENGINE_KILLS = round(5 * EFFORT)
SLOWEST_END_SECONDS = 180  # a client left to its defaults retries a dead server for ten minutes
DAYS = ("2026-01-01", "2026-01-02")
ROWS = 20


class Polled(threading.Thread):
    """Reads every day in a loop; a day that is missing, short, mixed or older than before is remembered."""

    def __init__(self, reader: Reader, table: str) -> None:
        super().__init__(daemon=True)
        self._reader = reader
        self._table = table
        self._over = threading.Event()
        self.polls = 0
        self.seen: dict[str, list[int]] = {day: [] for day in DAYS}
        self.broken: list[str] = []

    def run(self) -> None:
        while not self._over.wait(0.02):
            self.poll()

    def poll(self) -> None:
        locations = self._reader.locations(self._table)
        for day in DAYS:
            try:
                self._judge(day, self._reader.content(locations[f"ds={day}"]))
            except (LookupError, OSError, ValueError) as error:
                self.broken.append(f"{day} poll {self.polls}: {error!r}")
        self.polls += 1

    def _judge(self, day: str, content: Content) -> None:
        ids, generations = sorted(content.values("id")), set(content.values("generation"))
        if ids != list(range(ROWS)) or len(generations) != 1:
            raise ValueError(f"{len(ids)} rows of generations {generations}")
        (generation,) = generations
        if self.seen[day] and generation < self.seen[day][-1]:
            raise ValueError(f"generation {generation} after {self.seen[day][-1]}")
        if generation not in self.seen[day]:
            self.seen[day].append(generation)

    def end(self) -> None:
        self._over.set()
        self.join()


@dataclass
class Stage:
    """A table whose every row carries the generation of the source, and what is known of both."""

    warehouse: Warehouse
    spec: TableSpec
    source: str
    generation: int = 0
    seconds: list[float] = field(default_factory=list)

    def change_source(self) -> None:
        self.generation += 1
        self.warehouse.sql(f"UPDATE {self.source} SET generation = {self.generation}")

    def start_load(self, hold_at: str = "") -> LoadProcess:
        return LoadProcess(Job(self.warehouse.environ, self.spec.table, DAYS, hold_at))

    def load_must_succeed(self) -> None:
        started = monotonic()
        assert set(verdicts(self.warehouse.load(self.spec, *DAYS)).values()) == {"published"}
        self.seconds.append(monotonic() - started)
        self.must_agree()

    def must_agree(self) -> None:
        """The ledger has one published version a day, the metastore points at it, nothing is half-way."""
        ledger = self.warehouse.platform.ledger
        locations = self.warehouse.reader.locations(self.spec.table)
        for day in DAYS:
            rows = ledger.history(self.spec.table, day, limit=None)
            (published,) = [row for row in rows if row.state is VersionState.PUBLISHED]
            assert same_location(published.location, locations[f"ds={day}"])
            half_way = {VersionState.STAGING, VersionState.STAGED, VersionState.PUBLISHING}
            assert not half_way & {row.state for row in rows}
        assert ledger.locks(self.spec.table) == ()


@pytest.fixture(scope="module")
def warehouse(
    mariadb: PrivateMariaDB, metastore: HiveMetastore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("kills")
    uri = f"file://{root}/warehouse"
    opened = Warehouse(root, mariadb, uri=uri, metastore=metastore, database="killed")
    yield opened
    opened.close()


@pytest.fixture
def stage(warehouse: Warehouse, request: pytest.FixtureRequest) -> Stage:
    name = request.function.__name__[5:35]
    source = warehouse.orders(
        name, columns="id BIGINT, at DATETIME, generation INT NOT NULL, PRIMARY KEY (at, id), KEY (at)"
    )
    rows = ", ".join(f"({number}, '{day} 12:00:00', 0)" for day in DAYS for number in range(ROWS))
    warehouse.sql(f"INSERT INTO {source} VALUES {rows}")
    made = Stage(warehouse, warehouse.declare(name, checks="[{unique: [id]}]"), source)
    made.load_must_succeed()
    return made


@pytest.fixture
def polled(stage: Stage) -> Iterator[Polled]:
    poller = Polled(stage.warehouse.reader, stage.spec.table)
    poller.start()
    yield poller
    poller.end()
    assert poller.broken == []


@pytest.mark.timeout(600)
def test_a_killed_load_leaves_every_day_old_or_new(stage: Stage, polled: Polled) -> None:
    chance = random.Random(SEED)
    print(f"DATAPLAT_TEST_SEED={SEED}")
    whole = seconds_of_a_load(stage)
    moments: list[str | float] = [*POINTS, *(chance.uniform(0, whole) for _ in range(RANDOM_PROCESS_KILLS))]
    chance.shuffle(moments)
    for moment in moments:
        stage.change_source()
        kill_load(stage, moment)
        stage.load_must_succeed()
    report(len(moments), stage, polled)


@pytest.mark.timeout(600)
def test_a_killed_engine_leaves_every_day_old_or_new(stage: Stage, polled: Polled) -> None:
    chance = random.Random(SEED)
    print(f"DATAPLAT_TEST_SEED={SEED}")
    whole = seconds_of_a_load(stage)
    moments: list[Step | float] = [Step.PLAN, Step.STAGE, Step.COUNT, Step.CHECK]
    moments += [chance.uniform(0, whole) for _ in range(RANDOM_ENGINE_KILLS)]
    for moment in moments:
        stage.change_source()
        kill_engine_in_a_load(stage, moment)
        stage.load_must_succeed()
    report(len(moments), stage, polled)


def test_the_poller_notices_a_day_that_is_not_whole(stage: Stage) -> None:
    """The control: what the two tests above never saw is seen when it is there."""
    poller = Polled(stage.warehouse.reader, stage.spec.table)
    poller.poll()
    folder = Path(stage.warehouse.reader.locations(stage.spec.table)[f"ds={DAYS[1]}"].removeprefix("file:"))
    (file,) = folder.glob("part-*")
    whole = file.read_bytes()

    assert poller.broken == []
    for damage in (
        lambda: file.write_bytes(whole[:99]),
        file.unlink,
        lambda: folder.rename(f"{folder}-gone"),
    ):
        damage()
        poller.poll()
    assert len(poller.broken) == 3


def seconds_of_a_load(stage: Stage) -> float:
    """Measure the second load: the first also pays for the fork server and a cold engine."""
    for _ in range(2):
        stage.change_source()
        process = stage.start_load()
        process.reaches("plan")
        started = monotonic()
        assert set(process.result().values()) == {"published"}
    return monotonic() - started


def kill_load(stage: Stage, moment: str | float) -> None:
    process = stage.start_load(moment if isinstance(moment, str) else "")
    process.reaches(moment if isinstance(moment, str) else "plan")
    if isinstance(moment, float):
        process.ends_within(moment)
    process.kill()


def kill_engine_in_a_load(stage: Stage, moment: Step | float) -> None:
    engine = stage.warehouse.platform.engine()
    pid = server_status(engine.home).pid
    assert pid is not None
    under_way = threading.Event()

    def listen(progress: Progress) -> None:
        under_way.set()
        if progress.step is moment:
            kill_process(pid)

    started = monotonic()
    with ThreadPoolExecutor(max_workers=1) as pool:
        load = pool.submit(stage.warehouse.load, stage.spec, *DAYS, listen=listen)
        under_way.wait()
        if isinstance(moment, float):
            threading.Event().wait(moment)
            kill_process(pid)
        error = load.exception()
    assert error is None or isinstance(error, EngineLostError), error
    assert monotonic() - started < SLOWEST_END_SECONDS


def kill_process(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    psutil.wait_procs([process], timeout=30)


def report(kills: int, stage: Stage, polled: Polled) -> None:
    polled.end()
    polled.poll()
    print(f"{kills} kills, {polled.polls} polls, {len(polled.seen[DAYS[0]])} generations seen")
    print(f"slowest next load {max(stage.seconds[1:]):.1f} s")
    assert polled.seen[DAYS[0]][-1] == stage.generation


def test_a_server_killed_a_moment_ago_is_not_handed_out_again(stage: Stage) -> None:
    """Until somebody waits for it, a killed process is still there."""
    engine = stage.warehouse.platform.engine()
    killed = server_status(engine.home).pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    # The signal reaches threads on other processors a little later: one of them may still answer a question.
    patience = Retrying(
        stop=stop_after_delay(60), wait=wait_fixed(0.001), retry=retry_if_result(lambda ended: not ended)
    )
    patience(_has_ended, killed)

    assert engine.session().sql("SELECT 1").collect()[0][0] == 1
    assert server_status(engine.home).pid != killed


def _has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
