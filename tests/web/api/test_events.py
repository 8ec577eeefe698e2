"""Events, profiles and buttons by REST."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import json
import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sane.web import events, lasting
from sane.web.config import ButtonSettings, DestinationSettings, ProfileSettings, ShareSettings
from sane.web.problems import Busy
from sane.web.profiles import Profiles
from tests.support.api import ApiServer, wait_until
from tests.support.web import FakeScanner

SMALL = {"resolution": 75, "paper": "card", "mode": "gray"}


@contextlib.contextmanager
def listening(api: ApiServer) -> Iterator[Iterator[tuple[str, Any]]]:
    """Give the events of a server from now on."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    connection.request("GET", "/api/v1/events")
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.readline() == b"retry: 2000\n"

    def each() -> Iterator[tuple[str, Any]]:
        kind = ""
        while line := answer.readline().decode().rstrip("\n"):
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))
                answer.readline()

    answer.readline()
    try:
        yield each()
    finally:
        answer.close()
        connection.close()


def test_a_scan_is_told_while_it_goes_on(tmp_path: Path) -> None:
    fake = FakeScanner()
    with ApiServer([fake], state=tmp_path) as api, listening(api) as told:
        job = api.post("/jobs", {"scanner": fake.id, **SMALL})
        seen = []
        for kind, data in told:
            seen.append(kind)
            if kind == "job":
                assert data["id"] == job["id"]
                if data["state"] == "done":
                    break
        assert {"job", "page", "document"} <= set(seen)
        api.call(api.context.scanners.tell, "changed", fake)
        found = next(data for kind, data in told if kind == "scanner")
        assert found["id"] == fake.id


def test_one_that_is_too_slow_is_told_so() -> None:
    asyncio.run(be_slow())


async def be_slow() -> None:
    bus = events.Events()
    with bus.listen() as listener:
        for number in range(events.MOST_WAITING + 3):
            bus.publish("job", {"number": number})
        first, second = await listener.next(1), await listener.next(1)
        assert first is not None and first.kind == events.MISSED
        assert second is not None and second.data["number"] == events.MOST_WAITING + 1
        bus.close()
        assert await listener.next(1) is not None
        with pytest.raises(StopAsyncIteration):
            await listener.next(1)


# Profiles


def test_a_profile_is_kept_and_used(tmp_path: Path) -> None:
    profile = {
        "settings": {"source": "adf-duplex", "mode": "gray", "resolution": 100, "paper": "a6"},
        "work": {"deskew": True, "blank": 0.5, "rotate": "auto"},
        "output": {"format": "pdf", "ocr": True, "pdfa": False},
        "destination": None,
        "title": "Post",
    }
    with ApiServer([FakeScanner(pages=1)], state=tmp_path) as api:
        name = "B%C3%BCr%C3%B6%20%22x%22"
        assert api.ask("PUT", f"/profiles/{name}", profile).status == 201
        assert api.ask("PUT", f"/profiles/{name}", profile).status == 200
        (told,) = api.get("/profiles")["profiles"]
        assert told == {"name": 'Bürö "x"', **profile, "fixed": False}
        document = api.scanned(profile='Bürö "x"', work={"deskew": False, "blank": False})
        (page,) = document["pages"]
        assert (page["mode"], page["dpi"]) == ("gray", 100)
        assert api.ask("DELETE", f"/profiles/{name}").status == 204
        assert api.ask("DELETE", f"/profiles/{name}").status == 404
        assert api.ask("POST", "/jobs", {"scanner": "x", "profile": "none"}).status == 404


def test_profiles_that_are_kept_at_once_are_all_kept(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(12)]
    with ApiServer([FakeScanner()], state=tmp_path) as api, ThreadPoolExecutor(12) as pool:

        def asked(method: str, name: str) -> int:
            body = {"settings": {"source": "adf"}} if method == "PUT" else None
            return api.ask(method, f"/profiles/{name}", body).status

        assert list(pool.map(asked, ["PUT"] * 12, names)) == [201] * 12
        assert {each["name"] for each in api.get("/profiles")["profiles"]} == {*names}
        assert list(pool.map(asked, ["DELETE"] * 12, names)) == [204] * 12
        assert api.get("/profiles")["profiles"] == []


def test_a_profile_that_finds_no_room_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with ApiServer([FakeScanner()], state=tmp_path) as api:
        monkeypatch.setattr("sane.pagework.newfile.os.fsync", full)
        reply = api.ask("PUT", "/profiles/x", {"settings": {"source": "adf"}})
        monkeypatch.undo()
        assert (reply.status, reply.code) == (507, "disk-full")
        assert api.get("/profiles")["profiles"] == []


@pytest.mark.parametrize(
    ("name", "profile", "status"),
    [
        ("a%0Ab", {}, 400),
        ("a%2Fb", {}, 404),
        ("fixed", {}, 403),
        ("x", {"settings": {"colour": 1}}, 400),
        ("x", {"destination": "nowhere"}, 400),
        ("x", {"name": "y"}, 400),
        ("x" * 65, {}, 400),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(
    fixed_api: ApiServer, name: str, profile: dict[str, Any], status: int
) -> None:
    assert fixed_api.ask("PUT", f"/profiles/{name}", profile).status == status
    assert [each["name"] for each in fixed_api.get("/profiles")["profiles"]] == ["fixed"]


@pytest.fixture
def fixed_api(tmp_path: Path) -> Iterator[ApiServer]:
    settings = ShareSettings(profile=(ProfileSettings("fixed", {"mode": "gray"}),))
    with ApiServer([], settings, tmp_path) as server:
        yield server


class WaitingProfiles(Profiles):
    """A profile is found when the test lets it be, as in a long file."""

    asked: threading.Event
    may_go_on: threading.Event

    def find(self, name: str) -> dict[str, Any]:
        self.asked.set()
        assert self.may_go_on.wait(10), "nothing else was answered meanwhile"
        return super().find(name)


@pytest.mark.parametrize("by_button", [False, True])
def test_a_profile_is_looked_for_while_others_are_served(tmp_path: Path, by_button: bool) -> None:
    fixed = (ProfileSettings("fixed", SMALL),)
    settings = ShareSettings(profile=fixed, button=(ButtonSettings("scan", "fixed"),))
    fake = FakeScanner()
    with ApiServer([fake], settings, tmp_path) as api, ThreadPoolExecutor(1) as pool:
        profiles = api.parts.profiles = WaitingProfiles(str(tmp_path / "profiles.toml"), fixed)
        profiles.asked, profiles.may_go_on = threading.Event(), threading.Event()
        if by_button:
            order = pool.submit(api.call, api.parts.buttons.pressed, fake, "scan")
        else:
            order = pool.submit(api.post, "/jobs", {"scanner": fake.id, "profile": "fixed"})
        assert profiles.asked.wait(10)
        assert api.ask("GET", "/info").status == 200
        profiles.may_go_on.set()
        order.result(20)
        (job,) = api.get("/jobs")["jobs"]
        assert api.finished(job)["state"] == "done"


# Buttons


def test_a_button_starts_its_profile_and_sends_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.web.buttons.POLL_SECONDS", 0.05)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    settings = ShareSettings(
        destination=(DestinationSettings("inbox", "folder", "", {"path": str(inbox)}),),
        profile=(ProfileSettings("post", {"source": "adf", **SMALL}, {}, "inbox"),),
        button=(ButtonSettings("scan", "post", "test:.*"),),
    )
    fake = FakeScanner(pages=2, buttons=("scan", "copy"))
    fake.pressed = ["scan"]  # before the server looked
    with ApiServer([fake], settings, tmp_path / "state") as api, listening(api) as told:
        wait_until(lambda: not fake.pressed)
        assert fake.opened == 0
        fake.pressed = ["copy"]
        assert next(data for kind, data in told if kind == "button") == {
            "scanner": fake.id,
            "button": "copy",
        }
        fake.pressed = ["scan"]
        pressed = next(data for kind, data in told if kind == "button")
        assert (pressed["button"], pressed["profile"]) == ("scan", "post")
        job = api.finished({"id": pressed["job"]})
        assert job["state"] == "done" and len(job["pages"]) == 2
        wait_until(lambda: list(inbox.glob("*.pdf")))


def test_a_button_of_a_scanner_in_use_is_asked_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.web.buttons.POLL_SECONDS", 0.02)
    monkeypatch.setattr("sane.web.buttons.BUSY_SECONDS", 0.1)
    fake = FakeScanner(buttons=("scan",))
    fake.failing["poll"] = Busy("simple-scan, pid 4711")
    with ApiServer([fake], state=tmp_path) as api, listening(api) as told:
        wait_until(lambda: "poll" not in fake.failing)
        fake.pressed = ["scan"]
        wait_until(lambda: not fake.pressed)  # the first answer: it may be old
        fake.pressed = ["scan"]
        assert next(told)[0] == "button"


def test_a_mistake_of_ours_costs_one_press_and_one_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with it: other presses, orders and deliveries go on."""
    monkeypatch.setattr("sane.web.buttons.POLL_SECONDS", 0.02)
    settings = ShareSettings(
        profile=(ProfileSettings("broken", {"options": 3}), ProfileSettings("good", SMALL)),
        destination=(DestinationSettings("inbox", "folder", "", {"path": str(tmp_path)}),),
        button=(ButtonSettings("scan", "broken"), ButtonSettings("copy", "good")),
    )
    fake = FakeScanner(buttons=("scan", "copy"))
    with ApiServer([fake], settings, tmp_path / "state") as api, listening(api) as told:
        for button in ("", "scan", "copy"):  # the first answer may be old
            fake.pressed = [button] if button else []
            wait_until(lambda: not fake.pressed)
            if button:
                pressed = next(data for kind, data in told if kind == "button")
                assert pressed["button"] == button
                assert pressed.get("error", {}).get("code") == (
                    "failed" * (button == "scan") or None
                )
        api.finished({"id": pressed["job"]})
        reply = api.ask("POST", "/jobs", {"scanner": fake.id, "profile": "broken"})
        assert (reply.status, reply.code) == (500, "failed")
        document = api.scanned(**SMALL)
        api.post(f"/documents/{document['id']}/deliveries", {"destination": "inbox"})
        wait_until(lambda: list(tmp_path.glob("*.pdf")))


def test_a_turn_that_fails_is_told_and_the_next_one_comes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lasting, "FAILED_SECONDS", 0.0)
    turns: list[int] = []

    async def turn() -> float:
        turns.append(len(turns))
        if len(turns) == 1:
            raise KeyError("a mistake")
        if len(turns) == 3:
            raise asyncio.CancelledError
        return 0.0

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(lasting.repeated(turn, "counting", logging.getLogger()))
    assert turns == [0, 1, 2]
    assert "counting failed" in caplog.text and "a mistake" in caplog.text
