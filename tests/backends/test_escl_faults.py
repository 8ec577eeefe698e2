"""eSCL scanners that are slow, silent or hostile: limits, cancel, sockets, proxies.

The rows are those of specification escl 10.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sane import errors
from sane.handle import Handle
from sane.testing.escl import Delivery, Reply, Scanner
from sane.testing.net import Connection, TcpEmulator
from tests.support.escl import Desk, png_model, without_pauses
from tests.support.handles import page, put, read

AT_ONCE = 0.3  # 100 ms, and what a busy machine adds
LONG = 10.0


def scanner(sheets: int = 0) -> Scanner:
    return Scanner(png_model(), sheets=sheets)


def seconds_to_cancel(
    handle: Handle, call: Callable[[], object], begun: Callable[[], object]
) -> float:
    """Let *call* wait, cancel it once *begun* has returned; return how long it then took."""
    ended: list[float] = []

    def run() -> None:
        with pytest.raises(errors.Cancelled):
            call()
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    begun()
    cancelled = time.monotonic()
    handle.cancel_request.set()
    thread.join(LONG)
    assert ended
    return ended[0] - cancelled


# Cancel


def test_a_cancel_while_the_job_is_asked_for_ends_it_when_it_is_there() -> None:
    device = scanner()
    with Desk(device) as desk:
        handle = desk.open()
        came = threading.Event()
        slow = Reply(201, headers={"Location": "/eSCL/ScanJobs/7"})
        slow.delivery = Delivery(framing="sized", delay=1.0)
        answer = device.answer

        def noticed(request: object, origin: str) -> Reply:
            found = answer(request, origin)  # type: ignore[arg-type]
            if getattr(request, "method", "") == "POST":
                came.set()
            return found

        device.answer = noticed  # type: ignore[method-assign]
        device.script("jobs", slow)
        assert seconds_to_cancel(handle, handle.start, lambda: came.wait(LONG)) < AT_ONCE
        handle.cancelled()
        (delete,) = desk.log.of("delete")
        assert delete.request.target == "/eSCL/ScanJobs/7"


def test_a_cancel_while_a_page_is_waited_for() -> None:
    device = scanner(3)
    device.pages.delivery = Delivery(delay=1.0)
    with Desk(device) as desk:
        handle = desk.open(source="ADF")
        begun = lambda: desk.log.wait_for("jobs")  # noqa: E731
        assert seconds_to_cancel(handle, handle.start, begun) < AT_ONCE
        began = time.monotonic()
        handle.cancelled()
        delete = desk.log.wait_for("delete")
        assert delete.at - began < AT_ONCE and delete.status == 200


def test_a_cancel_while_a_page_stalls_closes_it_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.backends._driverless.job.PENDING_SECONDS", 0.5)
    device = scanner()
    device.pages.delivery = Delivery(stall_at=1000)
    with Desk(device) as desk:
        handle = desk.open(br_x=100.0, br_y=100.0)
        handle.start()

        def more() -> None:
            while True:
                handle.read(memoryview(bytearray(1 << 20)))

        assert seconds_to_cancel(handle, more, lambda: time.sleep(0.1)) < AT_ONCE
        began = time.monotonic()
        handle.cancelled()
        assert desk.log.wait_for("delete").at - began < AT_ONCE
        assert time.monotonic() - began < 2.0
        device.pages.delivery = Delivery()
        page(handle)


def test_a_cancel_between_two_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    device = scanner()
    with Desk(device) as desk:
        handle = desk.open()
        device.script("jobs", *[503] * 20)
        began = time.monotonic()
        assert seconds_to_cancel(handle, handle.start, lambda: desk.log.wait_for("jobs")) < AT_ONCE
        handle.cancelled()
        assert time.monotonic() - began < 3.0
        assert not desk.log.of("delete")


def test_a_scanner_that_does_not_say_that_there_is_no_more_gets_its_delete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sane.backends._driverless.job.PENDING_SECONDS", 0.5)
    device = scanner()
    silent = Reply(404)
    silent.delivery = Delivery(framing="sized", delay=30.0)
    with Desk(device) as desk:
        device.script("document", None, silent)
        handle = desk.open()
        page(handle)
        began = time.monotonic()
        handle.close()
        assert time.monotonic() - began < 3.0
        assert len(desk.log.of("delete")) == 1


def test_a_scanner_that_does_one_thing_at_a_time_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sane.backends.escl.job.PROXY_SECONDS", 0.3)
    device = scanner()
    device.access.at_once = 1
    device.pages.delivery = Delivery(rate=2000)
    with Desk(device) as desk:
        handle = desk.open(br_x=200.0, br_y=200.0)
        handle.start()
        handle.read(memoryview(bytearray(1)))
        began = time.monotonic()
        handle.cancelled()
        assert time.monotonic() - began < 5.0
        # 404: the scanner has given the job up by itself when its page was not wanted any more.
        assert str(desk.log.wait_for("delete")) in ("DELETE delete 200", "DELETE delete 404")


def test_a_handle_that_is_closed_amid_a_feeder_job_deletes_it() -> None:
    with Desk(scanner(9)) as desk:
        handle = desk.open(source="ADF")
        page(handle)
        handle.close()
        assert str(desk.log.of("delete")[0]) == "DELETE delete 200"


def test_starts_that_fail_are_no_closer_than_two_seconds_and_a_half() -> None:
    device = scanner()
    with Desk(device) as desk:
        handle = desk.open()
        device.script("jobs", 500)
        for _ in range(2):
            with pytest.raises(errors.DeviceIOError):
                handle.start()
            device.script("jobs", 500)
        first, second = desk.log.of("jobs")
        assert second.at - first.at >= 2.4


# Silence and floods


def test_row_35_silence_ends_within_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pauses(monkeypatch)
    conf = "page-timeout 1\nstall-timeout 1\n"
    device = scanner()
    with Desk(device, folder=tmp_path, conf=conf) as desk:
        for delivery in (Delivery(delay=30.0), Delivery(stall_at=500)):
            device.pages.delivery = delivery
            handle = desk.open(br_x=100.0, br_y=100.0)
            began = time.monotonic()
            with pytest.raises(errors.DeviceIOError):
                page(handle)
            assert 0.9 < time.monotonic() - began < 4.0
            handle.close()


@pytest.mark.parametrize("delivery", [Delivery("sized", 500), Delivery(has_end=False)])
def test_a_page_that_breaks_off_keeps_no_buffer_of_the_frontend(delivery: Delivery) -> None:
    device = scanner()
    device.pages.delivery = delivery
    with Desk(device) as desk:
        handle = desk.open(br_x=100.0, br_y=100.0)
        handle.start()
        buffer = bytearray(1 << 16)
        failed = False
        while not failed:
            with memoryview(buffer) as view:
                try:
                    handle.read(view)
                except errors.DeviceIOError:
                    failed = True
        buffer.clear()  # a BufferError where somebody still has a view of it


class Endless(TcpEmulator):
    """Sends a head and then bytes without end, for every request."""

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 107374182400\r\n\r\n"
    piece = b"x" * 65536

    def serve(self, connection: Connection) -> None:
        connection.receive_until(b"\r\n\r\n")
        connection.send(self.head)
        while True:
            connection.send(self.piece)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (Endless.head, Endless.piece),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"<r>" * 1000),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"32\r\n" + b"<r/> " * 10 + b"\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"garbage\r\n", b"garbage\r\n"),
    ],
)
def test_row_35_endless_capabilities_are_an_error(head: bytes, piece: bytes) -> None:
    with Desk() as desk, Endless() as device:
        device.head, device.piece = head, piece
        began = time.monotonic()
        with pytest.raises(errors.DeviceIOError, match=r"127\.0\.0\.1"):
            desk.open(f"http://127.0.0.1:{device.address[1]}/eSCL")
        assert time.monotonic() - began < 20.0


def test_row_35_a_page_without_end(tmp_path: Path) -> None:
    device = scanner()
    with Desk(device, folder=tmp_path, conf="max-document 1\n") as desk:
        device.script("document", Reply(200, b"\x89PNG\r\n\x1a\n" + bytes(3 << 20), "image/png"))
        handle = desk.open()
        with pytest.raises(errors.DeviceIOError):
            page(handle)
        desk.log.wait_for("delete")


def test_row_35_pages_without_end(tmp_path: Path) -> None:
    device = scanner(20)
    with Desk(device, folder=tmp_path, conf="max-pages 3\n") as desk:
        handle = desk.open(source="ADF")
        for _ in range(3):
            page(handle)
        with pytest.raises(errors.NoDocs):
            handle.start()


@pytest.mark.parametrize("body", [b"", b"<!doctype html><p>not here", b"\xff\xd8\xff", b"GIF89a"])
def test_a_page_that_is_no_picture(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)
    device = scanner()
    with Desk(device) as desk:
        device.script("document", Reply(200, body, "image/png"))
        handle = desk.open()
        with pytest.raises(errors.SaneError) as caught:
            page(handle)
        assert isinstance(caught.value, errors.DeviceIOError | errors.Unsupported)
        handle.cancelled()
        page(handle)


def test_a_picture_that_claims_65535_pixels_a_side_is_refused() -> None:
    import zlib

    head = b"\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0"
    chunk = b"IHDR" + head
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0d" + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    device = scanner()
    with Desk(device) as desk:
        device.script("document", Reply(200, png + bytes(1000), "image/png"))
        with pytest.raises((errors.NoMemory, errors.DeviceIOError)):
            page(desk.open())


def test_a_usb_device_that_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)
    device = scanner()
    device.access.initialising = 5
    with Desk(device) as desk:
        page(desk.open())
        assert desk.log.names()[:6] == [*["GET capabilities 503"] * 5, "GET capabilities 200"]


def test_a_service_that_never_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)
    monkeypatch.setattr("sane.backends.escl.service.INFO_SECONDS", 0.5)
    device = scanner()
    device.access.initialising = 1 << 30
    with Desk(device) as desk, pytest.raises(errors.DeviceIOError, match="503"):
        desk.open()


class Silent(TcpEmulator):
    """Takes connections and says nothing."""

    def serve(self, connection: Connection) -> None:
        connection.receive(1 << 20)


def test_a_silent_host_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.backends.escl.service.INFO_SECONDS", 0.5)
    with Desk() as desk, Silent() as device:
        with pytest.raises(errors.DeviceIOError):
            desk.open(f"http://127.0.0.1:{device.address[1]}")
        assert len(device.connections) == 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 500])
def test_capabilities_that_are_refused(code: int) -> None:
    device = scanner()
    with Desk(device) as desk:
        device.script("capabilities", *[code] * 4)
        kind = errors.AccessDenied if code in (401, 403) else errors.DeviceIOError
        with pytest.raises(kind):
            desk.open()


# Unix sockets, proxies


def test_a_scanner_behind_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "box")
    conf = f"socket-dir {tmp_path}\n"
    with Desk(host=path, folder=tmp_path, conf=conf) as desk:
        page(desk.open(f"unix:{path}:http://localhost:80"))
        page(desk.open("unix://box/eSCL"))
        with pytest.raises(errors.DeviceIOError):
            desk.open("unix://other/eSCL")


def test_row_6_a_usb_proxy_gets_localhost_for_a_host() -> None:
    device = scanner(2)
    device.access.host, device.access.at_once = "proxy", 1
    with Desk(device) as desk:
        page(desk.open())
        handle = desk.open(source="ADF Duplex")
        for _ in range(4):
            page(handle)
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert "GET capabilities 302" not in desk.log.names()


def test_two_handles_scan_at_once() -> None:
    with Desk(scanner(9)) as desk, Desk(scanner(9)) as other:
        handles = [desk.open(source="ADF"), other.open(source="ADF")]
        for handle in handles:
            handle.start()
        assert read(handles[0]) == read(handles[1])
        put(handles[0], "mode", "Gray")
        assert page(handles[0]) != page(handles[1])
