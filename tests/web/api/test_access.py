"""Who may use REST: people, programs, other sites' pages; and how often one may guess."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sane.web import accounts
from sane.web.accounts import Accounts, Failures, Throttled
from sane.web.config import LimitSettings, ShareSettings, TokenSettings, UserSettings
from tests.support.api import ApiServer
from tests.support.web import FakeScanner

PASSWORD = "correct horse"
PasswordHasher = pytest.importorskip("argon2").PasswordHasher
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
TOKEN, HASH = accounts.new_token()
SHORT = accounts.hash_password(PASSWORD).rpartition("$")[0]  # without its last part


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    """Return a server with a user and a token."""
    settings = ShareSettings(
        user=(UserSettings("anna", accounts.hash_password(PASSWORD)),),
        token=(TokenSettings("robot", HASH),),
    )
    with ApiServer([FakeScanner()], settings, tmp_path) as server:
        yield server


@pytest.fixture
def open_api(tmp_path: Path) -> Iterator[ApiServer]:
    """Return a server on which nobody signs in."""
    with ApiServer([FakeScanner()], state=tmp_path) as server:
        yield server


def login(api: ApiServer, password: str = PASSWORD, user: str = "anna") -> dict[str, str]:
    """Sign in; return the headers of who has."""
    reply = api.ask("POST", "/session", {"user": user, "password": password})
    assert reply.status == 200, reply.body
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    return {"Cookie": cookie.partition(";")[0]}


def test_nothing_is_told_to_who_has_not_signed_in(api: ApiServer) -> None:
    for path in ("/scanners", "/documents", "/jobs", "/profiles", "/destinations", "/events"):
        reply = api.ask("GET", path)
        assert (reply.status, reply.code) == (401, "unauthorized"), path
        assert reply.headers["www-authenticate"].startswith("Bearer")
    assert api.ask("POST", "/jobs", {"scanner": "x"}).status == 401
    assert api.get("/session") == {"user": None, "needed": True}
    assert api.get("/info")["features"]["passwords"] is True


def test_a_session_begins_and_ends(api: ApiServer) -> None:
    head = login(api)
    assert api.ask("GET", "/scanners", headers=head).status == 200
    assert api.ask("GET", "/session", headers=head).json["user"] == "anna"
    assert api.ask("DELETE", "/session", headers=head).status == 204
    assert api.ask("GET", "/scanners", headers=head).status == 401


def test_events_end_with_the_session(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.web.api.others.PING_SECONDS", 0.05)
    head = login(api)
    assert api.ask("HEAD", "/events", headers=head).status == 200
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    connection.request("GET", "/api/v1/events", headers=head)
    answer = connection.getresponse()
    assert answer.readline() == b"retry: 2000\n"
    api.ask("DELETE", "/session", headers=head)
    assert b"data" not in answer.read()
    connection.close()


@pytest.mark.parametrize("cookie", ["pysane_session=", "pysane_session=x", "a=b; c", "\xff=1"])
def test_another_cookie_is_none(api: ApiServer, cookie: str) -> None:
    assert api.ask("GET", "/scanners", headers={"Cookie": cookie}).status == 401


def test_a_token_is_for_programs(api: ApiServer) -> None:
    head = {"Authorization": f"Bearer {TOKEN}"}
    assert api.ask("GET", "/scanners", headers=head).status == 200
    assert api.ask("POST", "/documents", {}, headers=head).status == 201
    for wrong in (f"Bearer {TOKEN}x", f"Bearer {HASH}", "Bearer", f"Basic {TOKEN}", ""):
        reply = api.ask("GET", "/scanners", headers={"Authorization": wrong, **login(api)})
        assert reply.status == 401, wrong


def test_who_guesses_has_to_wait(tmp_path: Path) -> None:
    settings = ShareSettings(user=(UserSettings("anna", accounts.hash_password(PASSWORD)),))
    with ApiServer([], settings, tmp_path) as api:
        for guess in ("anna", "nobody", "anna", "nobody", "anna"):
            reply = api.ask("POST", "/session", {"user": guess, "password": "x"})
            assert (reply.status, reply.code) == (401, "unauthorized")
        reply = api.ask("POST", "/session", {"user": "anna", "password": PASSWORD})
        assert (reply.status, reply.code) == (429, "too-many")
        assert 1 <= int(reply.headers["retry-after"]) <= 2


async def guesses(found: Accounts, user: str, count: int) -> list[str]:
    """Try wrong passwords at the same time; return what each got: "" if it was looked at."""
    tries = [found.login(user, f"guess {n}", "192.0.2.1") for n in range(count)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(each, (str, Throttled)) for each in results), results
    return ["throttled" if isinstance(each, Throttled) else str(each) for each in results]


@pytest.mark.parametrize("user", ["anna", "nobody"])
def test_who_guesses_at_the_same_time_has_to_wait_as_well(user: str) -> None:
    found = Accounts([UserSettings("anna", CHEAP)], clock=lambda: 0.0)
    got = asyncio.run(guesses(found, user, 30))
    free = accounts.FREE_FAILURES
    assert got == [""] * free + ["throttled"] * (30 - free)


def test_who_signs_in_has_all_attempts_again() -> None:
    async def run() -> None:
        found = Accounts([UserSettings("anna", CHEAP)], clock=lambda: 0.0)
        for _ in range(3):
            assert await guesses(found, "anna", accounts.FREE_FAILURES - 1) == [""] * 4
            assert await found.login("anna", PASSWORD, "192.0.2.1")
        many = [found.login("anna", PASSWORD, "192.0.2.1") for _ in range(30)]
        assert all(await asyncio.gather(*many))

    asyncio.run(run())


def test_a_user_that_is_not_there_takes_as_long() -> None:
    """Its hash was made elsewhere, and takes some thirty times longer than our own."""
    slow = PasswordHasher(time_cost=60, memory_cost=accounts.MEMORY_KIB, parallelism=1)
    found = Accounts([UserSettings("anna", slow.hash(PASSWORD))])

    def seconds(user: str) -> float:
        began = time.monotonic()
        assert asyncio.run(found.login(user, "x", "192.0.2.1")) == ""
        return time.monotonic() - began

    assert seconds("nobody") > seconds("anna") / 5


def test_waiting_grows_and_ends() -> None:
    now = [0.0]
    failures = Failures(lambda: now[0])
    keys = ("address 192.0.2.1",)
    waits = []
    for _ in range(20):
        try:
            failures.check(keys)
        except Throttled as exc:
            waits.append(exc.seconds)
            now[0] += exc.seconds
            failures.check(keys)
        failures.add(keys)
    assert waits[:3] == [2, 4, 8] and waits[-1] == 900
    failures.check(("address 192.0.2.2",))
    now[0] += 3601
    failures.check(keys)
    for number in range(10_000):
        failures.add((f"address {number}",))
    assert len(failures._failed) == accounts.MOST_REMEMBERED


def test_sessions_end_by_themselves() -> None:
    now = [0.0]
    found = Accounts([UserSettings("anna", "x")], clock=lambda: now[0])
    secret = found.begin("anna")
    now[0] += accounts.IDLE_SECONDS - 1
    assert found.user_of(secret) == "anna"
    now[0] += accounts.IDLE_SECONDS + 1
    assert found.user_of(secret) is None
    secrets = [found.begin("anna") for _ in range(accounts.MOST_SESSIONS + 1)]
    assert found.user_of(secrets[0]) is None and found.user_of(secrets[-1]) == "anna"


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"user": [("anna", "secret")]}, "is no Argon2 hash"),
        ({"user": [("anna", "$argon2id$rubbish")]}, "is no Argon2 hash"),
        ({"user": [("anna", SHORT)]}, "is no Argon2 hash"),
        ({"user": [("anna", f"{SHORT}$AA")]}, "is no Argon2 hash"),
        ({"user": [("anna", f"{SHORT}$AAAAAAAA".replace("19456", "x"))]}, "is no Argon2 hash"),
        ({"user": [("", f"{SHORT}$AAAAAAAA")]}, "is empty"),
        ({"token": [("robot", TOKEN)]}, "is no SHA-256"),
    ],
)
def test_what_cannot_be_used_is_named(
    settings: dict[str, list[tuple[str, str]]], error: str
) -> None:
    users = [UserSettings(*user) for user in settings.get("user", ())]
    tokens = [TokenSettings(*token) for token in settings.get("token", ())]
    ((_, text),) = accounts.problems(SimpleNamespace(user=users, token=tokens))
    assert error in text


# Other sites, and what a browser may be made to send


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
    ],
)
def test_another_sites_page_changes_nothing(open_api: ApiServer, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/documents"), ("DELETE", "/session"), ("PUT", "/profiles/x")):
        reply = open_api.ask(method, path, {}, headers=headers)
        assert (reply.status, reply.code) == (403, "forbidden")
    assert open_api.get("/documents")["documents"] == []


def test_our_own_page_may(open_api: ApiServer) -> None:
    own = {"Origin": f"http://127.0.0.1:{open_api.port}", "Sec-Fetch-Site": "same-origin"}
    assert open_api.ask("POST", "/documents", {}, headers=own).status == 201


@pytest.mark.parametrize(
    ("raw", "kind", "status", "code"),
    [
        (b"{}", "text/plain", 415, "unsupported"),
        (b"title=x", "application/x-www-form-urlencoded", 415, "unsupported"),
        (b"{", "application/json", 400, "invalid"),
        (b"[]", "application/json", 400, "invalid"),
        (b"\xff", "application/json", 400, "invalid"),
        (b'{"title": NaN}', "application/json", 400, "invalid"),
        (b'{"title": "\\ud800"}', "application/json", 400, "invalid"),
        (b"[" * 60_000, "application/json", 400, "invalid"),
        (b'{"title": ' + b"9" * 5000 + b"}", "application/json", 400, "invalid"),
        (b" " * 70_000, "application/json", 413, "too-large"),
    ],
)
def test_a_body_that_is_none_is_refused(
    open_api: ApiServer, raw: bytes, kind: str, status: int, code: str
) -> None:
    reply = open_api.ask("POST", "/documents", raw=raw, headers={"Content-Type": kind})
    assert (reply.status, reply.code) == (status, code), reply.body


@pytest.mark.parametrize(("most", "status"), [(65_536, 413), (80_000, 201)])
def test_a_body_may_have_as_many_bytes_as_configured(
    tmp_path: Path, most: int, status: int
) -> None:
    settings = ShareSettings(limits=LimitSettings(upload_bytes=most))
    with ApiServer([], settings, tmp_path) as api:
        headers = {"Content-Type": "application/json"}
        reply = api.ask("POST", "/documents", raw=b"{" + b" " * 70_000 + b"}", headers=headers)
        assert reply.status == status, reply.body


def test_answers_are_for_nobody_else(open_api: ApiServer) -> None:
    reply = open_api.ask("GET", "/scanners")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in reply.headers
    for method in ("OPTIONS", "TRACE", "PUT"):
        refused = open_api.ask(method, "/scanners")
        assert refused.status == 405 and refused.headers["allow"] == "GET, HEAD"
    assert open_api.ask("GET", "/nothing").code == "not-found"
