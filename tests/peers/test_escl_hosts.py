"""Our backend escl in the desktop's programs and behind saned, on an emulated scanner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.testing.escl import Emulator
from sane.testing.escl.model import JPEG
from sane.wire import messages
from tests.peers.desktop import Desktop
from tests.peers.escl import OWN, scanner
from tests.peers.frontends import peer
from tests.peers.hosts import Gscan2pdf, SimpleScan
from tests.support.distribution import package_version
from tests.support.saned import Saned
from tests.support.saned import configure as configure_saned

INVAL = 4


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    peer("Xvfb")
    found = Desktop(tmp_path_factory.mktemp("desktop"))
    yield found
    found.close()


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(scanner(formats=(JPEG,))) as emulator:
        yield emulator


def test_simple_scan_empties_the_feeder_on_both_sides(
    desktop: Desktop, device: Emulator, tmp_path: Path
) -> None:
    class Program(SimpleScan):
        arguments = ("--debug", OWN.device(device))

    peer(Program.program)
    device.scanner.load(2)
    OWN.configure(device, tmp_path / "sane.d")
    host = Program(desktop, tmp_path / "host", tmp_path / "sane.d")
    try:
        host.press_scan_all()
        host.wait_for(lambda: host.said("SANE_STATUS_NO_DOCS"), "the feeder has no end")
        host.wait_for(lambda: len(host.pages()) == 4, "not all four pages")
        assert len({path.read_bytes() for path in host.pages()}) == 4
        assert device.scanner.history[0].settings.is_duplex
        assert host.quit() == 0
        assert not host.said("Traceback") and not host.said("Fatal Python error")
    finally:
        host.close()
    assert device.scanner.job is None


def test_gscan2pdf_scans_the_glass(desktop: Desktop, device: Emulator, tmp_path: Path) -> None:
    class Program(Gscan2pdf):
        device = "escl:"

    peer(Program.program)
    if package_version("gscan2pdf") >= (3,):
        pytest.skip("its windows are others; see Scantpaper")
    OWN.configure(device, tmp_path / "sane.d")
    host = Program(desktop, tmp_path / "host", tmp_path / "sane.d")
    try:
        host.scan()
        host.wait_for(lambda: host.page() is not None, "no page")
        assert device.log.wait_for("document").is_whole
        assert host.quit() == 0
        assert not host.said("Traceback") and not host.said("Fatal Python error")
    finally:
        host.close()


@pytest.mark.parametrize(
    ("conf", "setting", "opens"),
    [
        ("", "", False),
        ("", "share_net = yes\n", True),
        ("device {}\n", "", True),  # the administrator names it
    ],
    ids=["by address", "setting", "configured"],
)
def test_saned_leads_clients_to_no_scanner_that_nobody_named(
    device: Emulator, conf: str, setting: str, opens: bool, tmp_path: Path
) -> None:
    device.scanner.model = scanner().model  # PNG, for trees that are not compiled
    address = conf.format(device.origin)
    config = configure_saned(tmp_path, "escl\n", escl_conf=address, saned_conf=setting)
    with Saned(config) as server, server.client() as client:
        reply = client.ask(messages.Open(OWN.device(device)))
        assert (reply.status == 0) is opens
        if not opens:
            assert reply.status == INVAL
            assert device.log.names() == []  # nobody was asked
            server.wait_for("share_net")
