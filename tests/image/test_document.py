"""Which documents are told apart and read, and what is said of those that are not."""

from __future__ import annotations

from typing import Any

import pytest

from sane.errors import DeviceIOError, Unsupported
from sane.image import Document, readable
from sane.image import document as module
from sane.image.document import kind_of
from sane.image.picture import Limits
from tests.image.documents import png, read


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\x89PNG\r\n", ""),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"II+\0", "image/tiff"),
        (b"MM\0+", "image/tiff"),
        (b"BM", "image/bmp"),
        (b"%PDF-1.4", "application/pdf"),
        (b"x" * 1000 + b"%PDF-1.4", "application/pdf"),
        (b"x" * 1021 + b"%PDF-1.4", ""),
        (b"\r\n  \xff\xd8\xff", "image/jpeg"),
        (b"\n" * 16 + b"BM", "image/bmp"),
        (b"\n" * 17 + b"BM", ""),
        (b"", ""),
        (b"<html>", ""),
    ],
)
def test_document_is_told_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert kind_of(head) == kind


def test_document_in_single_bytes_with_blanks_before_it() -> None:
    data = png([[(1, 2, 3)]], 8, 2)
    assert read(b"\r\n" + data, piece=1)[0] == b"\1\2\3"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "an empty document"),
        (b"<html><body>busy", "no picture: it begins with b'<html><b'"),
        (b"\0" * 5000, "no picture"),
    ],
)
def test_document_that_is_no_picture_is_an_error(data: bytes, text: str) -> None:
    with pytest.raises(DeviceIOError, match=text):
        read(data)


def test_document_names_the_package_that_is_missing(monkeypatch: Any) -> None:
    monkeypatch.setitem(module.PACKAGES, "image/tiff", ("nothing_like_it",))
    monkeypatch.setitem(module.CALLED, "nothing_like_it", "package Nothing")
    with pytest.raises(Unsupported, match=r"image/tiff: .* needs the package Nothing"):
        read(b"II*\0" + bytes(100))
    assert readable(["image/tiff", "image/png"]) == ["image/png"]


def test_readable_keeps_the_order_and_ignores_what_it_does_not_know() -> None:
    types = ["application/octet-stream", "image/png", "IMAGE/PNG; q=1", "image/jp2", ""]
    assert readable(types) == ["image/png", "IMAGE/PNG; q=1"]


def test_limits_follow_from_what_was_asked_for() -> None:
    limits = Limits(1000, 2000)
    limits.check("X", 8096, 10, 3)
    assert limits.bytes_for(3) == 4 * 1000 * 2000 * 3 + (64 << 20)
    assert Limits(1000, -1).bytes_for(3) == 1 << 30


def test_document_that_is_fed_after_its_picture_keeps_nothing() -> None:
    document = Document(10, 10)
    document.feed(png([[(1, 2, 3)]], 8, 2))
    document.read_into(memoryview(bytearray(100)))
    assert document.is_done
    for _ in range(100):
        document.feed(bytes(1 << 20))
    document.end()
    assert document.read_into(memoryview(bytearray(100))) == 0
