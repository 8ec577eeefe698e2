"""Documents are sent: to each kind of destination, again after a failure, and after a kill."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sane.web.config import DestinationSettings, ShareSettings
from sane.web.delivery import kinds, queue, record
from sane.web.delivery.record import Delivery
from sane.web.store.files import write_record
from tests import ROOT
from tests.support.api import ApiServer, Client, wait_until
from tests.support.web import FakeScanner, app
from tests.web.api.standins import Mail, Paperless, Webhook

SMALL = {"resolution": 75, "paper": "card", "mode": "gray"}


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "PAUSES", (0.05,))
    monkeypatch.setattr(queue, "PAUSES", (0.05,))


@contextlib.contextmanager
def sending(state: Path, kind: str, **settings: Any) -> Iterator[ApiServer]:
    """Serve with one destination, "there"."""
    destination = DestinationSettings("there", kind, "There", settings)
    with ApiServer([FakeScanner()], ShareSettings(destination=(destination,)), state) as api:
        yield api


def sent(api: Client, document: dict[str, Any], state: str = "done", **order: Any) -> Any:
    """Send a document; return the delivery once it is in that state."""
    path = f"/documents/{document['id']}/deliveries"
    made = api.post(path, {"destination": "there", **order})
    return wait_until(lambda: api.get(f"/deliveries/{made['id']}"), lambda it: it["state"] == state)


def test_a_folder_gets_a_whole_file_and_keeps_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "A letter.pdf").write_text("another one")
    with sending(tmp_path / "state", "folder", path=str(folder), mode="0640") as api:
        assert api.get("/destinations")["destinations"] == [
            {"name": "there", "kind": "folder", "title": "There"}
        ]
        document = api.scanned(title="A letter", **SMALL)
        done = sent(api, document)
        assert done["result"] == str(folder / "A letter (2).pdf") and done["attempts"] == 1
        sent(api, document, format="png")
        (told,) = api.get("/documents")["documents"]
        assert [each["state"] for each in told["deliveries"]] == ["done", "done"]
    assert (folder / "A letter.pdf").read_text() == "another one"
    assert (folder / "A letter (2).pdf").read_bytes().startswith(b"%PDF-")
    assert (folder / "A letter (2).pdf").stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(folder)) == ["A letter (2).pdf", "A letter.pdf", "A letter.png"]


def test_what_waits_is_sent_although_its_document_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    with sending(tmp_path / "state", "folder", path=str(folder)) as api:
        document = api.scanned(title="../../x", **SMALL)
        made = sent(api, document, "waiting")
        waiting = wait_until(lambda: api.get(f"/deliveries/{made['id']}"), lambda it: it["error"])
        assert "there is no folder" in waiting["error"]
        assert api.ask("DELETE", f"/documents/{document['id']}").status == 204
        folder.mkdir()
        api.post(f"/deliveries/{made['id']}/retry", None)
        wait_until(lambda: api.get(f"/deliveries/{made['id']}")["state"] == "done")
    assert os.listdir(folder) == ["_.._x.pdf"]


class Kept(dict[str, Any]):
    """Knows in which threads it lost something."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []

    def pop(self, *key: Any) -> Any:
        self.threads.append(threading.get_ident())
        return super().pop(*key)


def test_what_was_delivered_long_ago_is_forgotten_on_the_loop(tmp_path: Path) -> None:
    """Others walk through the deliveries there, and may not meet one that goes."""
    old = Delivery(str(uuid.uuid4()), "x", "inbox", "", "2020-01-01T00:00:00Z", state="done")
    folder = tmp_path / "deliveries" / old.id
    folder.mkdir(parents=True)
    write_record(str(folder / "delivery.json"), old.record())
    server = ApiServer([], state=tmp_path)
    kept = server.parts.deliveries._deliveries = Kept()
    with server as api:
        wait_until(lambda: not folder.exists())
        assert kept == {} and kept.threads == [api.call(threading.get_ident)]


@pytest.mark.parametrize("steps", range(5))
def test_the_queue_ends_although_something_has_just_become_due(tmp_path: Path, steps: int) -> None:
    async def running() -> None:
        deliveries = app([], state=tmp_path).state.context.parts["api"].deliveries
        task = asyncio.create_task(deliveries.run())
        for _ in range(5):
            await asyncio.sleep(0)
        deliveries._wake.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=2.0)
        assert done

    asyncio.run(running())


def test_a_webhook_gets_the_file_signed_and_again_after_a_failure(tmp_path: Path) -> None:
    with Webhook().serving() as hook:
        hook.failing = [503, 429]
        url = f"http://127.0.0.1:{hook.port}/scans?x=1"
        secret = tmp_path / "secret"
        secret.write_text("s3cret\n")
        settings = {"url": url, "secret_file": str(secret), "headers": {"X-Team": "post"}}
        with sending(tmp_path / "state", "webhook", **settings) as api:
            done = sent(api, api.scanned(title="Prüfung", **SMALL))
            assert done["attempts"] == 3
        paths, headers, bodies = zip(*hook.got, strict=True)
    assert set(paths) == {"/scans?x=1"} and len(set(bodies)) == 1
    assert len({head["Idempotency-Key"] for head in headers}) == 1
    assert headers[0]["X-Team"] == "post" and headers[0]["Content-Type"] == "application/pdf"
    digest = hmac.new(b"s3cret", bodies[0], "sha256").hexdigest()
    assert headers[0]["X-PySANE-Signature"] == f"sha256={digest}"


def test_what_is_refused_is_kept(tmp_path: Path) -> None:
    with Webhook().serving() as hook:
        hook.failing = [403]
        url = f"http://127.0.0.1:{hook.port}/"
        with sending(tmp_path, "webhook", url=url) as api:
            failed = sent(api, api.scanned(**SMALL), "failed")
            assert "answered 403" in failed["error"]
            assert list((tmp_path / "deliveries" / failed["id"]).glob("file.pdf"))
            api.post(f"/deliveries/{failed['id']}/retry", None)
            wait_until(lambda: api.get(f"/deliveries/{failed['id']}")["state"] == "done")
            folder = tmp_path / "deliveries" / failed["id"]
            wait_until(lambda: os.listdir(folder) == ["delivery.json"])
            assert api.ask("DELETE", f"/deliveries/{failed['id']}").status == 204


def test_paperless_takes_a_document_in_once(tmp_path: Path) -> None:
    with Paperless().serving() as paperless:
        url = f"http://127.0.0.1:{paperless.port}"
        settings = {"url": url, "token": "secret", "tags": ["Invoice", "12"]}
        with sending(tmp_path, "paperless", **settings) as api:
            document = api.scanned(title="A letter", **SMALL)
            done = sent(api, document)
            assert done["result"] == "Success. New document id 1"
        (fields,) = paperless.got
        assert [value for name, value in fields if name == "tags"] == [b"3", b"12"]
        assert dict(fields)["title"] == b"A letter"
        assert dict(fields)["document"].startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"token": "wrong"}, "answered 401"),
        ({"token": "secret", "tags": ["nothing"]}, "paperless has no 'nothing' among its tags"),
    ],
)
def test_what_paperless_refuses_is_told(
    tmp_path: Path, settings: dict[str, Any], error: str
) -> None:
    with Paperless().serving() as paperless:
        url = f"http://127.0.0.1:{paperless.port}"
        with sending(tmp_path, "paperless", url=url, **settings) as api:
            failed = sent(api, api.scanned(**SMALL), "failed")
            assert error in failed["error"]


def test_a_message_is_sent_to_all_that_the_server_takes(tmp_path: Path) -> None:
    with Mail().serving() as mail:
        mail.failing = [450, 450, 550]
        settings = {
            **{"server": "127.0.0.1", "port": mail.port, "security": "none"},
            **{"sender": "scanner@example.org", "to": ["a@example.org", "b@example.org"]},
            **{"user": "scanner", "password": "x", "subject": "Scan: {title}"},
        }
        with sending(tmp_path, "mail", **settings) as api:
            done = sent(api, api.scanned(title="Für Ähnliches", **SMALL))
            assert done["attempts"] == 2
            assert done["result"] == "sent to b@example.org; refused: a@example.org"
        (message,) = mail.got
    assert message["Subject"] == "Scan: Für Ähnliches"
    assert message["Message-ID"].startswith(f"<{done['id']}@")
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "Für Ähnliches.pdf"
    assert attached.get_content().startswith(b"%PDF-")


def test_a_command_gets_the_file_and_facts_in_its_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = f'cp -t "{out}" "$1"; printf %s "$PYSANE_TITLE" > "{out}/title"; echo taken; false'
    out.mkdir()
    with sending(tmp_path / "state", "command", command=f"sh -c '{command}; test -e x' sh") as api:
        title = "$(touch /tmp/never) `x` \"'; rm"
        waiting = sent(api, api.scanned(title=title, **SMALL), "waiting")
        told = wait_until(lambda: api.get(f"/deliveries/{waiting['id']}"), lambda it: it["error"])
        assert "ended with status 1: taken" in told["error"]
    assert (out / "title").read_text() == title
    assert (out / "file.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("kind", "settings", "error"),
    [
        ("folder", {}, "path: is missing"),
        ("folder", {"path": "relative"}, "path: 'relative' is not an absolute path"),
        ("folder", {"path": "/x", "mode": "999"}, "mode: "),
        ("webhook", {"url": "ftp://x/"}, "url: "),
        ("webhook", {"url": "http://[::1/"}, "url: "),
        ("webhook", {"url": "http://[v1.x]/"}, "url: "),
        ("webhook", {"url": "http://x:99999/"}, "url: "),
        ("webhook", {"url": "http://x:http/"}, "url: "),
        ("webhook", {"url": "http://:80/"}, "url: "),
        ("webhook", {"url": "http://a..b/"}, "url: "),
        ("webhook", {"url": "http://x/\u00e4"}, "url: "),
        ("webhook", {"url": "http://x/", "headers": {"X\n": "y"}}, "headers: "),
        ("paperless", {"url": "http://x"}, "token: is missing"),
        ("mail", {"server": "x", "sender": "a@b", "to": ["a@b\n, c@d"]}, "to: "),
        ("mail", {"server": "x", "sender": "a@b", "to": []}, "to: the list is empty"),
        ("command", {"command": "x", "path": "/x"}, "path: there is no such key"),
    ],
)
def test_settings_that_make_no_sense_are_named(
    kind: str, settings: dict[str, Any], error: str
) -> None:
    with pytest.raises(ValueError) as caught:
        kinds.check(kind, settings)
    assert str(caught.value).startswith(error)


# A server that is killed


class Killed(Client):
    """A server in a process of its own."""

    def __init__(self, state: Path, config: Path) -> None:
        command = [sys.executable, "-m", "tests.web.api.server", str(state), str(config)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path]:
    """Return the state folder and the configuration of a server to be killed."""
    state = tmp_path / "state"
    state.mkdir()
    return state, tmp_path / "pysane-share.toml"


def test_a_server_killed_in_mid_job_finds_the_pages(place: tuple[Path, Path]) -> None:
    state, config = place
    config.write_text("")
    (state / "gate").touch()
    first = Killed(state, config)
    try:
        (scanner,) = first.get("/scanners")["scanners"]
        order = {"scanner": scanner["id"], "source": "adf", "resolution": 75}
        job = first.post("/jobs", order)
        done = wait_until(lambda: first.get(f"/jobs/{job['id']}"), lambda it: it["pages"])
        wait_until(lambda: list(state.rglob("*.png.part")))
    finally:
        first.kill()
    second = Killed(state, config)
    try:
        (document,) = second.get("/documents")["documents"]
        assert document["id"] == done["document"]
        assert [page["id"] for page in document["pages"]] == done["pages"]
        assert not list(state.rglob("*.part"))
        assert second.get("/scanners")["scanners"][0]["state"] == "idle"
    finally:
        second.kill()


def test_a_server_killed_in_mid_delivery_delivers_once(place: tuple[Path, Path]) -> None:
    state, config = place
    with Paperless().serving() as paperless:
        config.write_text(
            '[[destination]]\nname = "there"\nkind = "paperless"\n[destination.settings]\n'
            f'url = "http://127.0.0.1:{paperless.port}"\ntoken = "secret"\n'
        )
        first = Killed(state, config)
        try:
            (scanner,) = first.get("/scanners")["scanners"]
            job = first.finished(first.post("/jobs", {"scanner": scanner["id"], **SMALL}))
            paperless.hold.clear()
            path = f"/documents/{job['document']}/deliveries"
            made = first.post(path, {"destination": "there"})
            wait_until(lambda: paperless.got)
        finally:
            first.kill()
        paperless.hold.set()
        second = Killed(state, config)
        try:
            delivery = f"/deliveries/{made['id']}"
            done = wait_until(lambda: second.get(delivery), lambda it: it["state"] == "done")
            assert done["result"]
        finally:
            second.kill()
        assert len(paperless.sums) == 1
