"""What saned promises a C backend: one call at a time, texts that fit, only its own devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.wire import messages
from tests import cc
from tests.support.saned import Client, Saned, configure, read_all, split_frame

SOURCE = Path(__file__).parent / "c" / "strict.c"
GET, SET, STRING, TEXT, SIZE = 0, 1, 3, 1, 8


class Strict:
    """A server with the backend, and the backend's log."""

    def __init__(self, folder: Path, **files: str) -> None:
        pytest.importorskip("sane.dll.native", reason="C backends need the compiled tree")
        library = folder / "libsane-strict.so.1"
        cc.compile_program(SOURCE, library, "-shared", "-fPIC", "-Wall", f"-I{cc.INCLUDE}")
        self.log = folder / "log"
        config = configure(folder / "conf", dll="strict\n", **files)
        self.server = Saned(config, LD_LIBRARY_PATH=str(folder), SANE_TEST_LOG=str(self.log))

    def broken(self) -> list[str]:
        lines = self.log.read_text().splitlines()
        return [line for line in lines if not line.startswith("opened: ")]

    def opened(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.removeprefix("opened: ") for line in lines if line.startswith("opened: ")]


def text(client: Client, handle: int, action: int, value: bytes) -> messages.ControlReply:
    request = messages.ControlOption(handle, TEXT, action, STRING, len(value), value)
    reply: messages.ControlReply = client.ask(request)
    return reply


def test_a_c_backend_gets_no_text_that_it_has_no_room_for(tmp_path: Path) -> None:
    strict = Strict(tmp_path)
    with strict.server as server, server.client() as client:
        handle = client.open("strict:one")
        for sent in (b"12345678", b"123456789012345", b"1234567", b"12345678\0", b"\xff" * 100):
            assert text(client, handle, SET, sent).status == 0
            value = text(client, handle, GET, bytes(SIZE)).value
            assert value == sent.partition(b"\0")[0][: SIZE - 1].ljust(SIZE, b"\0")
    assert strict.broken() == []


def test_a_c_backend_is_called_by_one_thread_at_a_time(tmp_path: Path) -> None:
    strict = Strict(tmp_path)
    with strict.server as server, server.client() as client:
        one, two = client.open("strict:one"), client.open("strict:two")
        with client.start(one) as stream:
            for _ in range(5):
                assert len(client.ask(messages.GetDevices()).devices) == 2
                assert text(client, two, GET, bytes(SIZE)).status == 0
                assert client.ask(messages.GetParameters(one)).status == 0
            image, _ = split_frame(read_all(stream))
        assert image
        client.ask(messages.Close(two))
    assert strict.broken() == []


REMOTE = ["net:192.0.2.1", "http://192.0.2.1/", "scanhost", "tcp 192.0.2.1", "bjnp://x", "two "]


@pytest.mark.parametrize("name", REMOTE)
def test_a_c_backend_opens_only_what_it_lists(tmp_path: Path, name: str) -> None:
    """It cannot tell which of its names lead to other machines."""
    strict = Strict(tmp_path)
    with strict.server as server, server.client() as client:
        assert client.ask(messages.Open(f"strict:{name}")).status == 4
        server.wait_for("share_net")
        client.open("strict:two")
        client.open("strict:libusb:001:002")
    assert strict.opened() == ["two", "libusb:001:002"]


@pytest.mark.parametrize(
    "files",
    [
        {"saned_conf": "share_net = yes\n"},
        {"dll_aliases": "alias far strict:net:192.0.2.1\n"},
    ],
    ids=["setting", "alias"],
)
def test_the_administrator_may_open_other_machines(tmp_path: Path, files: dict[str, str]) -> None:
    strict = Strict(tmp_path, **files)
    with strict.server as server, server.client() as client:
        client.open("far" if "dll_aliases" in files else "strict:net:192.0.2.1")
    assert strict.opened() == ["net:192.0.2.1"]
