"""Finished tasks asked of a real ClickHouse engine and a real MariaDB (A02, A07 to A11, A15)."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import SourceError, SourceUnavailableError
from dataplat.plan.finished_tasks import FinishedTask
from dataplat.plan.watermark import ScanWindow
from dataplat.sources.task_lists import SqlTaskList
from dataplat.specs.audit_tasks import TaskListSpec
from dataplat_tests.services.clickhouse import ClickHouse
from dataplat_tests.services.process import free_port

pytestmark = pytest.mark.integration
SHANGHAI = ZoneInfo("Asia/Shanghai")
WINDOW = ScanWindow(datetime(2026, 1, 9, 5, tzinfo=SHANGHAI), datetime(2026, 1, 9, 6, tzinfo=SHANGHAI))
WHERE = "WHERE state = 'success' AND end_time >= '{start_time}' AND end_time < '{end_time}' ORDER BY id"
NAMES = f"SELECT task_name FROM audit_tasks.log {WHERE}"
ALL = f"SELECT task_name, period_type, batch_no, end_time FROM audit_tasks.log {WHERE}"
ROWS = """INSERT INTO audit_tasks.log VALUES
 (1, 'early', 'hourly', '2026010904', '2026-01-09 04:59:59', 'success'),
 (2, 'first', 'hourly', '2026010905', '2026-01-09 05:00:00', 'success'),
 (3, 'first', 'hourly', '2026010906', '2026-01-09 05:10:00', 'success'),
 (4, 'broken', 'daily', '20260108', '2026-01-09 05:20:00', 'failed'),
 (5, 'first', 'hourly', '2026010905', '2026-01-09 05:30:00', 'success'),
 (6, 'last', NULL, NULL, '2026-01-09 05:59:59', 'success'),
 (7, 'next', 'daily', '20260108', '2026-01-09 06:00:00', 'success')"""


@pytest.fixture
def server(clickhouse: ClickHouse) -> Iterator[ClickHouse]:
    clickhouse.run(
        "CREATE DATABASE audit_tasks",
        "CREATE TABLE audit_tasks.log (id Int64, task_name String, period_type Nullable(String), "
        "batch_no Nullable(String), end_time DateTime, state LowCardinality(String)) "
        "ENGINE = MergeTree ORDER BY id",
        ROWS,
    )
    yield clickhouse
    clickhouse.run("DROP DATABASE audit_tasks")


def tasks_of(server: ClickHouse, query: str, **changes: object) -> SqlTaskList:
    written = {"host": server.host, "port": server.port, "user": server.user, "password": "${CH_PASSWORD}"}
    spec = TaskListSpec.model_validate({**written, "query_template": query, **changes})
    return SqlTaskList(spec, SHANGHAI, {"CH_PASSWORD": server.password}, "nightly")


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 1, 9, hour, minute, second, tzinfo=SHANGHAI)


def test_a_window_is_left_closed_and_right_open_in_the_zone_and_keeps_batches_apart_a08_a09_a11(
    server: ClickHouse,
) -> None:
    assert tasks_of(server, ALL).finished(WINDOW) == [
        FinishedTask("first", "hourly", "2026010905", at(5, 30)),  # it ended twice: the newest end
        FinishedTask("first", "hourly", "2026010906", at(5, 10)),
        FinishedTask("last", "", "", at(5, 59, 59)),
    ]


def test_one_column_is_enough_a10(server: ClickHouse) -> None:
    assert tasks_of(server, NAMES).finished(WINDOW) == [FinishedTask("first"), FinishedTask("last")]


def test_the_next_window_continues_without_a_gap(server: ClickHouse) -> None:
    following = ScanWindow(WINDOW.end, WINDOW.end + timedelta(hours=1))
    assert [task.task_name for task in tasks_of(server, NAMES).finished(following)] == ["next"]


def test_a_host_that_is_down_is_passed_over_a15(server: ClickHouse) -> None:
    dead = f"127.0.0.1:{free_port()}"
    tasks = tasks_of(server, NAMES, host=None, hosts=[dead, server.host])
    assert [task.task_name for task in tasks.finished(WINDOW)] == ["first", "last"]


def test_the_environment_names_the_hosts_before_the_file_a15_a43(server: ClickHouse) -> None:
    spec = TaskListSpec(host="127.0.0.1", port=1, query_template=NAMES)
    environ = {
        "CLICKHOUSE_HOST": f"127.0.0.1:{free_port()}, {server.host}",
        "CLICKHOUSE_PORT": str(server.port),
        "CLICKHOUSE_USER": server.user,
        "CLICKHOUSE_PASSWORD": server.password,
        "CLICKHOUSE_DATABASE": "audit_tasks",
    }
    assert len(SqlTaskList(spec, SHANGHAI, environ, "nightly").finished(WINDOW)) == 2


def test_all_hosts_down_is_an_error_that_may_pass_and_names_each(clickhouse: ClickHouse) -> None:
    ports = [free_port(), free_port()]
    tasks = tasks_of(clickhouse, NAMES, host=None, hosts=[f"127.0.0.1:{port}" for port in ports])
    with pytest.raises(SourceUnavailableError) as caught:
        tasks.finished(WINDOW)
    found = dict(caught.value.facts)["found"].splitlines()
    assert found == [f"127.0.0.1:{port}: [Errno 111] Connection refused" for port in ports]
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("query", "changes", "found"),
    [
        ("SELECT nonsense FROM audit_tasks.log", {}, "nonsense"),
        ("SELECT task_name FROM audit_tasks.gone", {}, "gone"),
        (NAMES, {"user": "stranger"}, "Authentication failed"),
    ],
)
def test_a_refusal_is_told_with_the_query_and_without_the_password(
    server: ClickHouse, query: str, changes: dict[str, object], found: str
) -> None:
    with pytest.raises(SourceError, match=found) as caught:
        tasks_of(server, query, **changes).finished(WINDOW)
    assert not caught.value.retryable
    assert server.password not in str(caught.value)


def test_another_number_of_columns_is_told_whole(server: ClickHouse) -> None:
    with pytest.raises(SourceError) as caught:
        tasks_of(server, "SELECT task_name, batch_no FROM audit_tasks.log").finished(WINDOW)
    assert str(caught.value) == (
        "tasks of audit nightly: its answer cannot be read as finished tasks\n"
        "  expected   task_name, or task_name, period_type, batch_no, or these and the time at which the task"
        " ended\n"
        "  found      2 columns\n"
        "  effect     nothing was audited, the watermark is as it was\n"
        "  next       write the columns of query_template so"
    )


def test_a_scheduler_in_mysql_works_the_same(mariadb: PrivateMariaDB) -> None:
    with mariadb.connect() as connection, connection.cursor() as cursor:
        for statement in (
            "DROP DATABASE IF EXISTS audit_tasks",
            "CREATE DATABASE audit_tasks",
            """CREATE TABLE audit_tasks.log (id INT, task_name VARCHAR(50), period_type VARCHAR(9),
                 batch_no VARCHAR(12), end_time DATETIME, state VARCHAR(9))""",
            ROWS,
        ):
            cursor.execute(statement)
        connection.commit()
    where = mariadb.instance
    spec = TaskListSpec.model_validate(
        {
            "connect": f"mysql+pymysql://etl:${{ETL_PASSWORD}}@{where.host}:{where.port}/",
            "query_template": ALL + ", date_format(end_time, '%H:%i')",
        }
    )
    tasks = SqlTaskList(spec, SHANGHAI, {"ETL_PASSWORD": where.etl_password}, "nightly").finished(WINDOW)
    assert tasks == [
        FinishedTask("first", "hourly", "2026010905", at(5, 30)),
        FinishedTask("first", "hourly", "2026010906", at(5, 10)),
        FinishedTask("last", "", "", at(5, 59, 59)),
    ]


def test_windows_of_utc_are_asked_in_the_zone_a09(server: ClickHouse) -> None:
    in_utc = ScanWindow(WINDOW.start.astimezone(UTC), WINDOW.end.astimezone(UTC))
    assert tasks_of(server, ALL).finished(in_utc) == tasks_of(server, ALL).finished(WINDOW)


@dataclass
class TlsFront:
    """A door with a certificate of its own before a server."""

    port: int
    certificate: Path


@pytest.fixture
def tls(server: ClickHouse, tmp_path: Path) -> Iterator[TlsFront]:
    pem = tmp_path / "own.pem"
    pem.write_bytes(own_certificate())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening, context, server.port), daemon=True).start()
        yield TlsFront(listening.getsockname()[1], pem)


def own_certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + signed.public_bytes(serialization.Encoding.PEM)


def accept(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):  # the test is over
        while True:
            plain, _ = listening.accept()
            threading.Thread(target=serve, args=(plain, context, port), daemon=True).start()


def serve(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        plain,
        suppress(OSError),  # who does not trust us hangs up
        context.wrap_socket(plain, server_side=True) as caller,
        socket.create_connection(("127.0.0.1", port)) as onward,
    ):
        answers = threading.Thread(target=pass_on, args=(onward, caller))
        answers.start()
        pass_on(caller, onward)
        answers.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_tls_is_spoken_and_a_certificate_that_nobody_vouches_for_is_refused(
    server: ClickHouse, tls: TlsFront
) -> None:
    trusting = tasks_of(server, NAMES, port=tls.port, secure=True, ca_cert=str(tls.certificate))
    assert len(trusting.finished(WINDOW)) == 2
    assert len(tasks_of(server, NAMES, port=tls.port, secure=True, verify=False).finished(WINDOW)) == 2
    with pytest.raises(SourceUnavailableError, match="certificate verify failed"):
        tasks_of(server, NAMES, port=tls.port, secure=True).finished(WINDOW)
