"""A process that answers HTTP as a ClickHouse does: the engine is real (chdb), the HTTP front is ours.

What it is not: sessions, streaming, settings and users beyond one. It checks that one user's password, gives
errors with ClickHouse's codes, and answers in the format that is asked for.
"""

import base64
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_CODE = re.compile(r"Code: ([0-9]+)")


class Front(BaseHTTPRequestHandler):
    """One request; the engine takes one query at a time."""

    protocol_version = "HTTP/1.1"
    user = password = ""
    session: Any = None  # chdb is imported by the process that serves
    one_at_a_time = threading.Lock()

    def do_GET(self) -> None:
        self._answer(b"Ok.\n") if urlsplit(self.path).path == "/ping" else self.do_POST()

    def do_POST(self) -> None:
        asked = {name: texts[0] for name, texts in parse_qs(urlsplit(self.path).query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        query = "\n".join(part for part in (asked.get("query", ""), body) if part)
        if self._who() != (self.user, self.password):
            self._refuse(403, 516, f"{self._who()[0]}: Authentication failed: password is incorrect")
            return
        written = _FORMAT.search(query)
        output = written[1] if written else asked.get("default_format", "TabSeparated")
        try:
            with self.one_at_a_time:
                found = self.session.query(_FORMAT.sub("", query), output).bytes() or b""
        except RuntimeError as error:  # what chdb raises for every refusal of the engine
            code = _CODE.search(str(error))
            self._refuse(404 if code and code[1] == "60" else 500, int(code[1]) if code else 1, str(error))
            return
        self._answer(found)

    def _who(self) -> tuple[str, str]:
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            user, _, password = base64.b64decode(basic[6:]).decode().partition(":")
            return user, password
        return self.headers.get("X-ClickHouse-User", ""), self.headers.get("X-ClickHouse-Key", "")

    def _answer(self, content: bytes, status: int = 200, code: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-ClickHouse-Timezone", "Etc/UTC")
        if code:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: int, code: int, text: str) -> None:
        self._answer(f"Code: {code}. DB::Exception: {text}".encode(), status, code)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing for each request."""


def main(port: int, folder: Path, user: str, password: str, certificate: Path | None) -> None:
    """Serve until the process is ended; with a certificate by TLS."""
    from chdb.session import Session

    Front.user, Front.password, Front.session = user, password, Session(str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", port), Front)
    if certificate is not None:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    port, folder, user, password, *certificate = sys.argv[1:]
    main(int(port), Path(folder), user, password, Path(certificate[0]) if certificate else None)
