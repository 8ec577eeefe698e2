"""REST on `pysane share` itself: real workers, a driver that fails, a button, a kill."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Client, wait_until
from tests.support.share import Faults, Share, configure, needs_web

SETTINGS = """
[[destination]]
name = "inbox"
kind = "folder"
settings = {{ path = "{inbox}" }}

[[profile]]
name = "letters"
settings = {{ source = "adf", mode = "lineart", resolution = 75, options = {{ note = "letters" }} }}
destination = "inbox"

[[button]]
button = "scan"
profile = "letters"
device = "tstweb:.*"
"""


class ShareClient(Client):
    """A running server, asked by REST."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self.port = share.port

    @property
    def scanner(self) -> str:
        """The id of its scanner."""
        found = wait_until(lambda: self.get("/scanners")["scanners"])
        return str(found[0]["id"])

    def scan(self, **order: Any) -> Any:
        """Scan; return the job when it is over."""
        return self.finished(self.post("/jobs", {"scanner": self.scanner, **order}))


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path, Faults]:
    """Return the configuration's folder, the inbox, and what the driver does wrong."""
    needs_web()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    config = configure(tmp_path / "sane.d", SETTINGS.format(inbox=inbox), "tstweb\n")
    return config, inbox, Faults(tmp_path)


@pytest.fixture
def api(place: tuple[Path, Path, Faults], tmp_path: Path) -> Iterator[ShareClient]:
    config, _, faults = place
    with Share(config, tmp_path / "state", **faults.variables) as share:
        yield ShareClient(share)


def test_a_button_that_is_pressed_sends_a_document(
    api: ShareClient, place: tuple[Path, Path, Faults]
) -> None:
    _, inbox, faults = place
    assert api.get(f"/scanners/{api.scanner}/capabilities")["buttons"] == ["scan"]
    api.share.wait_for("is open as handle 1")  # it was asked once, and is asked again
    faults.set("pressed")
    wait_until(lambda: api.get("/jobs")["jobs"])
    faults.set("")
    (job,) = api.get("/jobs")["jobs"]
    assert len(api.finished(job)["pages"]) == 2
    (found,) = wait_until(lambda: list(inbox.glob("*.pdf")))
    assert found.read_bytes().startswith(b"%PDF-")
    assert faults.notes() == ["letters"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("busy", "busy"),
        ("gone", "failed"),
        ("jam", "jammed"),
        ("crash", "unreachable"),
        ("unplug", "failed"),
    ],
)
def test_a_fault_is_told_and_the_scanner_free_again(
    api: ShareClient, place: tuple[Path, Path, Faults], fault: str, code: str
) -> None:
    _, _, faults = place
    scanner = api.scanner
    faults.set(fault)
    job = api.scan(mode="lineart", resolution=75)
    assert job["state"] == "failed" and job["error"]["code"] == code, job
    assert job["document"] is None and api.get("/documents")["documents"] == []
    faults.set("")
    wait_until(lambda: api.scan(mode="lineart", resolution=75)["state"] == "done")
    assert api.scanner == scanner


def test_a_server_killed_in_mid_page_starts_again(
    place: tuple[Path, Path, Faults], tmp_path: Path
) -> None:
    config, _, faults = place
    state = tmp_path / "state"
    with Share(config, state, **faults.variables) as share:
        api = ShareClient(share)
        first = api.scan(mode="lineart", resolution=75)
        faults.set("endless")
        order = {"scanner": api.scanner, "mode": "lineart", "document": first["document"]}
        job = api.post("/jobs", order)
        wait_until(lambda: api.get(f"/jobs/{job['id']}")["state"] == "scanning")
        wait_until(lambda: list(state.rglob("*.part")))
        share.process.send_signal(signal.SIGKILL)
        share.process.wait()
    faults.set("")
    with Share(config, state, **faults.variables) as share:
        api = ShareClient(share)
        (document,) = api.get("/documents")["documents"]
        assert [page["id"] for page in document["pages"]] == first["pages"]
        assert not list(state.rglob("*.part"))
        assert api.scan(mode="lineart", resolution=75, document=document["id"])["state"] == "done"
