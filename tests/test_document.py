"""Pages as the device sends them: read in place of the frame, or kept beside it."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from sane import errors, pages
from sane.api.scanner import Scanner
from sane.backend import Device, Parameters
from sane.const import FRAME_GRAY
from sane.handle import Handle

JPEG = b"\xff\xd8 whatever the scanner sent \xff\xd9" * 10_000
WIDTH, LINES = 8, 4


class Reader:
    """Bytes in pieces; what is no bytes is raised, called or returned."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces = list(pieces)

    def read_into(self, view: memoryview) -> int:
        if not self.pieces:
            return 0
        piece = self.pieces.pop(0)
        if isinstance(piece, BaseException):
            raise piece
        if not isinstance(piece, bytes):
            return piece() if callable(piece) else piece  # type: ignore[no-any-return]
        n = min(len(piece), len(view))
        view[:n] = piece[:n]
        if piece[n:]:
            self.pieces.insert(0, piece[n:])
        return n


class Camera(Device):
    """It sends JPEG, which the driver would decode."""

    encoded: ClassVar[tuple[str, ...]] = ("image/jpeg",)

    def __init__(self, *pieces: Any, blocking: str = "") -> None:
        self.pieces = pieces
        self.blocking = blocking
        self.calls: list[str] = []
        self.left = 0
        self.kept = b""

    def parameters(self) -> Parameters:
        return Parameters(FRAME_GRAY, WIDTH, LINES)

    def start(self) -> None:
        self.calls.append(f"start{self.wanted_mime}")
        self.left = WIDTH * LINES
        self.kept = b""

    def read_into(self, view: memoryview) -> int:
        n = min(self.left, len(view))
        view[:n] = bytes(n)
        self.left -= n
        if self.keeps_encoded:
            self.kept = JPEG
        return n

    def document(self, mime: str) -> Reader:
        return Reader(self.kept) if self.kept else Reader(*self.pieces)

    def frame_ended(self) -> None:
        self.calls.append("ended")

    def finish(self, aborted: bool) -> None:
        self.calls.append(f"finish {aborted}")


def opened(device: Device) -> Scanner:
    return Scanner.around(Handle(device), "camera:0")


@pytest.mark.parametrize("blocking", ["", "thread"])
def test_a_document_is_what_the_device_sent(blocking: str) -> None:
    camera = Camera(JPEG[:7], JPEG[7:], blocking=blocking)
    with opened(camera) as found:
        assert found.encoded == ("image/jpeg",)
        assert found.document() == JPEG
    assert camera.calls == ["startimage/jpeg", "ended", "finish False"]


def test_a_page_keeps_what_the_device_sent_only_if_it_is_wanted() -> None:
    camera = Camera(JPEG)
    with opened(camera) as found:
        page = found.scan(keep="image/jpeg")
        assert (bytes(page.rows()), page.encoded) == (bytes(WIDTH * LINES), {"image/jpeg": JPEG})
        assert found.scan().encoded == {}
        assert found.document() == JPEG
        assert found.scan().encoded == {}
    starts = [call for call in camera.calls if call.startswith("start")]
    assert starts == ["start", "start", "startimage/jpeg", "start"]


def test_another_type_is_refused_before_paper_moves() -> None:
    camera = Camera()
    with opened(camera) as found:
        for ask in (lambda: found.document("image/png"), lambda: found.scan(keep="x/y")):
            with pytest.raises(errors.Unsupported, match="the device sends: image/jpeg"):
                ask()
    assert camera.calls == []


def test_a_device_without_documents_says_so() -> None:
    class Plain(Camera):
        encoded: ClassVar[tuple[str, ...]] = ()

    with opened(Plain()) as found, pytest.raises(errors.Unsupported, match="pixels only"):
        found.document()


@pytest.mark.parametrize(
    ("pieces", "error", "text"),
    [
        ((), errors.DeviceIOError, "empty document"),
        ((b"x", errors.Jammed("paper")), errors.Jammed, "paper"),
        ((b"x", -1), errors.Misbehaved, "returned -1"),
        ((b"x", 1 << 20), errors.Misbehaved, "returned 1048576"),
        ((b"x", lambda: None), errors.Misbehaved, "returned None"),
        ((bytes(100), bytes(100)), errors.DeviceIOError, "more than 150 bytes"),
    ],
)
def test_a_document_that_cannot_be_ends_the_job(
    monkeypatch: pytest.MonkeyPatch, pieces: Any, error: type[Exception], text: str
) -> None:
    monkeypatch.setattr(pages, "DOCUMENT_BYTES", 150)
    camera = Camera(*pieces)
    with opened(camera) as found:
        with pytest.raises(error, match=text):
            found.document()
        assert camera.calls[-1].startswith("finish")


def test_cancel_ends_a_document() -> None:
    camera = Camera()
    found = opened(camera)
    ending = threading.Timer(0.02, found.cancel)

    def wait() -> int:
        ending.start()
        camera.wait(10)
        return 0

    camera.pieces = (b"x", wait)
    with pytest.raises(errors.Cancelled):
        found.document()
    ending.join()
    found.close()
    assert camera.calls == ["startimage/jpeg", "finish True"]


def test_what_was_kept_is_there_after_the_frame_only() -> None:
    handle = Handle(Camera(JPEG))
    handle.device.keeps_encoded = True
    for step in (lambda: None, handle.start, lambda: handle.read(memoryview(bytearray(1)))):
        step()
        with pytest.raises(errors.Invalid, match="not complete"):
            handle.kept_document("image/jpeg")
    handle.close()
