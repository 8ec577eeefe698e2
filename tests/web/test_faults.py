"""Jobs of eSCL on the running server, when client, worker or server ends in the middle."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.share import Faults, Share, configure, eventually, needs_web, within

SETTINGS = "[https]\nenabled = false\n"
TICKET = """<scan:ScanSettings xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"
 xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"><pwg:Version>2.0</pwg:Version>
<pwg:ScanRegions><pwg:ScanRegion><pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches\
</pwg:ContentRegionUnits><pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset>
<pwg:Width>40</pwg:Width><pwg:Height>1200</pwg:Height></pwg:ScanRegion></pwg:ScanRegions>
<pwg:InputSource>Platen</pwg:InputSource><scan:ColorMode>Grayscale8</scan:ColorMode>
<scan:XResolution>75</scan:XResolution><scan:YResolution>75</scan:YResolution>
<pwg:DocumentFormat>image/png</pwg:DocumentFormat></scan:ScanSettings>"""


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    return Faults(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def share(faults: Faults, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Share]:
    needs_web()
    with started(faults, tmp_path_factory.mktemp("share")) as made:
        yield made


def started(faults: Faults, folder: Path) -> Share:
    config = configure(folder / "sane.d", SETTINGS, dll="tstweb\n")
    share = Share(config, folder / "state", **faults.variables)
    share.wait_for("is shared")
    return share


def job(share: Share) -> str:
    """Order a page; return the job's path. One that is ending holds the scanner for a moment."""

    def order() -> str:
        status, headers, body = share.ask("POST", "/eSCL/ScanJobs", TICKET.encode())
        assert status in (201, 503), body
        return re.sub("^http://[^/]+", "", headers.get("location", ""))

    return str(eventually(order))


def whole_page(share: Share, path: str) -> bool:
    """Tell whether the job's page comes whole."""
    status, headers, body = share.ask("GET", f"{path}/NextDocument")
    return status == 200 and body.endswith(b"IEND\xaeB`\x82") and "png" in headers["content-type"]


def begun(share: Share, faults: Faults) -> tuple[str, int, object]:
    """Begin a page that does not end; return the job, its worker, and the connection."""
    faults.set("endless")
    path = job(share)
    sock = share.connect()
    sock.sendall(f"GET {path}/NextDocument HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert sock.recv(12) == b"HTTP/1.1 200"
    (worker,) = share.children()
    return path, worker, sock


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, or is about to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_client_that_vanishes_frees_the_scanner(share: Share, faults: Faults) -> None:
    _, worker, sock = begun(share, faults)
    sock.close()  # type: ignore[attr-defined]
    with within(4.0):
        assert eventually(lambda: is_gone(worker))
    faults.set("")
    assert whole_page(share, job(share))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_in_mid_page_costs_its_page(
    share: Share, faults: Faults, number: int
) -> None:
    path, worker, sock = begun(share, faults)
    os.kill(worker, number)
    with sock:  # type: ignore[attr-defined]
        rest = b""
        while got := sock.recv(1 << 16):  # type: ignore[attr-defined]
            rest += got
    assert not rest.endswith(b"\r\n0\r\n\r\n")  # it is not told as whole
    assert share.ask("GET", f"{path}/NextDocument")[0] == 404
    faults.set("")
    assert whole_page(share, job(share))


def test_a_device_that_is_unplugged_in_mid_page(share: Share, faults: Faults) -> None:
    faults.set("unplug")
    path = job(share)
    assert not whole_page_or_error(share, path)
    faults.set("")
    assert whole_page(share, job(share))


def whole_page_or_error(share: Share, path: str) -> bool:
    import http.client

    try:
        return whole_page(share, path)
    except (http.client.IncompleteRead, ConnectionError):
        return False


def test_a_server_that_is_told_to_end_ends_its_jobs(tmp_path: Path, faults: Faults) -> None:
    needs_web()
    with started(faults, tmp_path) as share:
        _, worker, sock = begun(share, faults)
        with sock, within(12.0):  # type: ignore[attr-defined]
            share.process.send_signal(signal.SIGTERM)
            assert share.process.wait(10) == 0
        assert is_gone(worker)
        assert "Traceback" not in share.log


def test_a_server_that_is_killed_leaves_no_worker_and_starts_again(
    tmp_path: Path, faults: Faults
) -> None:
    needs_web()
    with started(faults, tmp_path) as share:
        _, worker, sock = begun(share, faults)
        share.process.kill()
        share.process.wait()
        sock.close()  # type: ignore[attr-defined]
        assert eventually(lambda: is_gone(worker))
    faults.set("")
    began = time.monotonic()
    with started(faults, tmp_path) as share:
        assert whole_page(share, job(share))
    assert time.monotonic() - began < 20
