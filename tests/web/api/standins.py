"""Stand-ins for what documents are sent to: paperless-ngx, a webhook, a mail server.

Each listens on a free port of 127.0.0.1 in threads; *failing* is a list of what its next answers
are instead of what they should be.
"""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import default
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


class Standin:
    """What all of them have. got: what was sent, in order."""

    def __init__(self) -> None:
        self.failing: list[int] = []
        self.got: list[Any] = []
        self.hold = threading.Event()  # answers wait for it
        self.hold.set()
        self.port = 0


@contextlib.contextmanager
def served(standin: Standin, server: socketserver.TCPServer) -> Iterator[None]:
    standin.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        standin.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


class HttpServer(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, standin: Any, handler: type[BaseHTTPRequestHandler]) -> None:
        self.standin = standin
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of tests are killed."""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    @property
    def standin(self) -> Any:
        return cast(HttpServer, self.server).standin

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, data: object) -> None:
        self.standin.hold.wait(20)
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Webhook(Standin):
    """Takes what is posted: (path, headers, body)."""

    @contextlib.contextmanager
    def serving(self) -> Iterator[Webhook]:
        with served(self, HttpServer(self, WebhookHandler)):
            yield self


class WebhookHandler(Handler):
    def do_POST(self) -> None:
        body = self.body()
        self.standin.got.append((self.path, dict(self.headers), body))
        status = self.standin.failing.pop(0) if self.standin.failing else 200
        self.answer(status, {})

    do_PUT = do_POST


class Paperless(Standin):
    """Answers as paperless-ngx 2 does: tasks that take two questions, duplicates by checksum."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, list[dict[str, str]]] = {}
        self.sums: set[str] = set()
        self.tags = {"invoice": 3, "Post": 7}

    @contextlib.contextmanager
    def serving(self) -> Iterator[Paperless]:
        with served(self, HttpServer(self, PaperlessHandler)):
            yield self

    def take(self, headers: Any, body: bytes) -> str:
        """Keep a form; return its task."""
        text = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
        form = BytesParser(policy=default).parsebytes(text)
        fields: list[tuple[str, Any]] = []
        for part in form.iter_parts():
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            fields.append((str(name), data))
        document = dict(fields)["document"]
        digest = sha256(document).hexdigest()
        task = f"task-{len(self.tasks)}"
        done = {"status": "SUCCESS", "result": f"Success. New document id {len(self.sums) + 1}"}
        if digest in self.sums:
            done = {"status": "FAILURE", "result": "Not consuming: It is a duplicate of #1"}
        self.sums.add(digest)
        self.tasks[task] = [{"status": "STARTED", "result": ""}, done]
        self.got.append(fields)
        return task


class PaperlessHandler(Handler):
    def refused(self) -> bool:
        if self.headers.get("Authorization") != "Token secret":
            self.answer(401, {"detail": "Invalid token."})
        elif self.standin.failing:
            self.answer(self.standin.failing.pop(0), {"detail": "not now"})
        else:
            return False
        return True

    def do_POST(self) -> None:
        body = self.body()
        if not self.refused() and self.path == "/api/documents/post_document/":
            self.answer(200, self.standin.take(self.headers, body))

    def do_GET(self) -> None:
        if self.refused():
            return
        path, _, query = self.path.partition("?")
        value = query.partition("=")[2]
        if path == "/api/tasks/":
            states = self.standin.tasks.get(value, [])
            found = [{"task_id": value, **(states.pop(0) if len(states) > 1 else states[0])}]
            self.answer(200, found if states else [])
        else:
            numbers = [
                id for name, id in self.standin.tags.items() if name.lower() == value.lower()
            ]
            self.answer(200, {"count": len(numbers), "results": [{"id": id} for id in numbers]})


class Mail(Standin):
    """A mail server: EHLO, AUTH PLAIN, MAIL, RCPT, DATA. got: messages."""

    @contextlib.contextmanager
    def serving(self) -> Iterator[Mail]:
        class Server(socketserver.ThreadingTCPServer):
            standin = self

        with served(self, Server(("127.0.0.1", 0), MailHandler)):
            yield self


class MailHandler(socketserver.StreamRequestHandler):
    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        standin: Mail = self.server.standin  # type: ignore[attr-defined]
        self.say("220 stand-in")
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline().decode().strip():
                word = line.split(":")[0].upper()
                if word.startswith("EHLO"):
                    self.say("250-stand-in")
                    self.say("250 AUTH PLAIN")
                elif word.startswith("AUTH"):
                    self.say("235 yes")
                elif word == "RCPT TO" and standin.failing:
                    self.say(f"{standin.failing.pop(0)} no")
                elif word == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(part.removeprefix(b"."))
                    standin.got.append(BytesParser(policy=default).parsebytes(b"".join(lines)))
                    self.say("250 taken")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 yes")
