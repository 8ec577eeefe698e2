"""The parts in one application: which are there, and one that fails."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sane.web import main
from sane.web.config import EsclSettings, ServerSettings, ShareSettings
from tests.support.share import needs_web
from tests.support.web import FakeScanner, app, context

needs_web()


def status(application: Any, path: str) -> int:
    """Return the status of a GET."""
    sent: list[Any] = []

    async def running() -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost")]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
        scope |= {"headers": headers, "query_string": b"", "root_path": "", "scheme": "http"}
        scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8090)}
        await application({**scope, "http_version": "1.1"}, receive, send)

    asyncio.run(running())
    return int(sent[0]["status"])


@pytest.mark.parametrize("page", [True, False])
def test_the_page_may_be_left_away(tmp_path: Path, page: bool) -> None:
    settings = ShareSettings(server=ServerSettings(page=page))
    made = app([FakeScanner()], settings, tmp_path)
    assert status(made, "/") == (200 if page else 404)
    assert status(made, "/api/v1/scanners") == 200


@pytest.mark.parametrize("enabled", [True, False])
def test_escl_may_be_left_away(tmp_path: Path, enabled: bool) -> None:
    settings = ShareSettings(escl=EsclSettings(enabled=enabled))
    made = app([FakeScanner()], settings, tmp_path)
    assert status(made, "/eSCL/ScannerStatus") == (200 if enabled else 404)


def test_the_door_takes_over_who_is_a_trusted_proxy(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="peer absent: the Python package uvicorn")
    from sane.web.server import WebServer

    made = context([], state=tmp_path)
    scanners: Any = made.scanners
    server = WebServer(made, scanners)
    proxies = (ip_network("10.0.0.0/8"),)
    server.adopt(replace(made.settings, server=ServerSettings(trusted_proxies=proxies)))
    assert server._door.places.proxies == proxies


def test_a_part_whose_work_fails_is_told_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(context: Any) -> None:
        raise RuntimeError("a mistake")

    part = SimpleNamespace(routes=lambda context: [], run=run)
    monkeypatch.setattr(main, "import_module", lambda name, package: part)

    async def running() -> None:
        made = app([], state=tmp_path)
        async with made.router.lifespan_context(made):
            await asyncio.sleep(0.01)

    with caplog.at_level(logging.ERROR, logger="pysane.share"):
        asyncio.run(running())
    assert "a part of the server has ended" in caplog.text
