"""The JPEG decoder: whole, byte by byte, cut off, damaged; in the compiled tree only."""

from __future__ import annotations

import random

import pytest

from sane.testing.esci2 import turbojpeg

jpeg = pytest.importorskip("sane.image.jpeg", reason="this tree is not compiled")
if not turbojpeg.is_there():
    pytest.skip("peer absent: libturbojpeg0", allow_module_level=True)

WIDTH, HEIGHT = 93, 57
LIMIT = 1 << 20
PIXELS = bytes(
    value for y in range(HEIGHT) for x in range(WIDTH) for value in (2 * x, 4 * y, 255 - x - y)
)
GRAY = PIXELS[1::3]
COLOR_FILE = turbojpeg.compress(PIXELS, WIDTH, HEIGHT, 95, "444")
GRAY_FILE = turbojpeg.compress(GRAY, WIDTH, HEIGHT, 95)


def decode(data: bytes, chunk: int = 1 << 20, room: int = 1 << 20) -> tuple[bytes, object]:
    """Feed *data* by *chunk* bytes, read by *room* bytes; return the rows and the decoder."""
    decoder = jpeg.Decoder(LIMIT)
    out, view = b"", memoryview(bytearray(room))
    chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    while not decoder.is_done:
        n = decoder.read_into(view)
        out += view[:n]
        if not n and chunks:
            decoder.feed(chunks.pop(0))
        elif not n:
            decoder.end()
            n = decoder.read_into(view)
            out += view[:n]
            assert n or decoder.is_done, "stuck"
    return out, decoder


def test_colours() -> None:
    out, decoder = decode(COLOR_FILE)
    assert (decoder.width, decoder.height, decoder.channels) == (WIDTH, HEIGHT, 3)  # type: ignore[attr-defined]
    assert len(out) == len(PIXELS)
    assert max(abs(one - two) for one, two in zip(out, PIXELS, strict=True)) < 12


def test_gray() -> None:
    out, decoder = decode(GRAY_FILE)
    assert (decoder.channels, decoder.warnings) == (1, 0)  # type: ignore[attr-defined]
    assert max(abs(one - two) for one, two in zip(out, GRAY, strict=True)) < 6


@pytest.mark.parametrize("sampling", ["420", "422", "444"])
@pytest.mark.parametrize(("chunk", "room"), [(1, 100), (7, 3), (1000, 3 * WIDTH), (64, 1)])
def test_the_rows_do_not_depend_on_the_pieces(sampling: str, chunk: int, room: int) -> None:
    data = turbojpeg.compress(PIXELS, WIDTH, HEIGHT, 80, sampling)
    assert decode(data, chunk, room)[0] == decode(data)[0]


def test_bytes_behind_the_picture_are_left_alone() -> None:
    assert decode(COLOR_FILE + b"\xff" * 5000, 100)[0] == decode(COLOR_FILE)[0]


def test_rows_come_before_the_file_has_ended() -> None:
    decoder = jpeg.Decoder(LIMIT)
    decoder.feed(COLOR_FILE[: len(COLOR_FILE) // 2])
    view = memoryview(bytearray(len(PIXELS)))
    assert 0 < decoder.read_into(view) < len(PIXELS)
    assert not decoder.is_done


def test_what_is_missing_becomes_gray() -> None:
    out, decoder = decode(GRAY_FILE[: len(GRAY_FILE) // 2])
    assert len(out) == len(GRAY)
    assert set(out[-WIDTH:]) == {128}
    assert decoder.warnings  # type: ignore[attr-defined]


@pytest.mark.parametrize("data", [b"no picture at all", b"\xff\xd8\xff\xd9", b"\0" * 100])
def test_garbage_is_a_value_error(data: bytes) -> None:
    decoder = jpeg.Decoder(LIMIT)
    decoder.feed(data)
    decoder.end()
    with pytest.raises(ValueError, match="JPEG: "):
        decoder.prepare()
    with pytest.raises(ValueError, match="JPEG: "):  # and again: it is of no more use
        decoder.read_into(memoryview(bytearray(100)))


def test_a_picture_beyond_the_limit_is_refused() -> None:
    decoder = jpeg.Decoder(WIDTH * HEIGHT - 1)
    decoder.feed(GRAY_FILE)
    with pytest.raises(ValueError, match=f"{WIDTH} x {HEIGHT} pixels, at most"):
        decoder.prepare()


def test_an_absurd_size_takes_no_memory() -> None:
    """65500 x 65500 pixels, by the numbers in the head of the file."""
    at = COLOR_FILE.index(b"\xff\xc0") + 5
    data = COLOR_FILE[:at] + b"\xff\xdc\xff\xdc" + COLOR_FILE[at + 4 :]
    decoder = jpeg.Decoder(LIMIT)
    decoder.feed(data)
    with pytest.raises(ValueError, match="65500 x 65500"):
        decoder.prepare()


def test_damaged_files_never_do_worse_than_a_value_error() -> None:
    rng = random.Random(20)
    refused = 0
    for number in range(1500):
        data = bytearray(COLOR_FILE if number % 2 else GRAY_FILE)
        for _ in range(rng.choice((1, 3, 30))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        del data[rng.randrange(len(data)) + 1 :]
        try:
            decode(bytes(data), rng.choice((100, 5000)), 4096)
        except ValueError:
            refused += 1
    assert refused > 100, "the damage did nothing"
