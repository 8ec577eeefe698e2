"""A page row by row: blocks, memory, backpressure, previews, frames; and progress."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

import sane
from sane import Parameters, const, errors
from tests.fakes.sheets import SECONDS, Sheets, Waiting, gray, opened


class Endless(Sheets):
    """A page of so many rows of 1000 bytes, each of its number; ``at`` counts the bytes read."""

    def __init__(self, lines: int, *, told: bool = True, padding: int = 0) -> None:
        super().__init__()
        self.pitch = 1000 + padding
        self.size = self.pitch * lines
        height = lines if told else -1
        self.params = Parameters(const.FRAME_GRAY, 1000, height, bytes_per_line=self.pitch)

    def parameters(self) -> Parameters:
        return self.params

    def start(self) -> None:
        self.calls.append("start")
        self.at = 0

    def read_into(self, view: memoryview) -> int:
        n = min(len(view), self.size - self.at)
        first, offset = divmod(self.at, self.pitch)
        rows = np.arange(first, first + n // self.pitch + 2, dtype=np.uint32).astype(np.uint8)
        view[:n] = np.repeat(rows, self.pitch)[offset : offset + n].tobytes()
        self.at += n
        return n


@pytest.mark.parametrize("padding", [0, 7])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("chunk", [None, 1, 7, 5000])
def test_blocks_are_the_rows_of_the_page(chunk: int | None, told: bool, padding: int) -> None:
    device = Endless(700, told=told, padding=padding)
    with opened(device) as scanner, scanner.stream(chunk_rows=chunk) as stream:
        assert stream.total == (700 if told else None)
        expected = 0
        for block in stream:
            assert block.first == expected
            assert len(block.rows) <= (chunk or 262)
            numbers = np.arange(expected, expected + len(block.rows)) % 256
            assert np.all(block.rows == numbers[:, None])
            expected += len(block.rows)
            assert stream.rows_done == expected
        assert expected == 700
        assert scanner.state == "idle"
    assert device.calls[-2:] == ["finish False", "close"]


def test_a_stream_of_any_length_has_the_same_memory() -> None:
    with opened(Endless(200_000)) as scanner, scanner.stream() as stream:
        tracemalloc.start()
        total = sum(len(block.rows) for block in stream)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total == 200_000
    assert peak < 4 << 20, "of 200 MB; the device makes rows of its own"


def test_the_driver_is_not_read_further_than_two_blocks_ahead() -> None:
    device = Endless(10_000)
    with opened(device) as scanner, scanner.stream(chunk_rows=10) as stream:
        time.sleep(0.02)
        assert device.at <= 2 * 10_000
        next(stream)
        time.sleep(0.02)
        assert device.at <= 3 * 10_000


def test_rows_are_lent_or_copied() -> None:
    with opened(Endless(40)) as scanner:
        with scanner.stream(chunk_rows=10) as stream:
            rows = [block.rows for block in stream]
        assert rows[0][0, 0] != 0, "the memory was used again"
        with scanner.stream(chunk_rows=10, copy=True) as stream:
            rows = [block.rows for block in stream]
        assert [int(block[0, 0]) for block in rows] == [0, 10, 20, 30]


@pytest.mark.parametrize("room", [1000, 2500, 10**6])
def test_rows_may_be_written_into_a_buffer(room: int) -> None:
    buffer = bytearray(room)
    out = b""
    with opened(Endless(700, padding=3)) as scanner, scanner.stream() as stream:
        while n := stream.readinto(buffer):
            assert n % stream.row_bytes == 0
            out += buffer[:n]
        assert stream.rows_done == 700
    assert out == b"".join(bytes([row % 256]) * 1000 for row in range(700))


def test_a_buffer_must_hold_a_row() -> None:
    with opened(Endless(7)) as scanner, scanner.stream() as stream:
        with pytest.raises(ValueError, match="a row has 1000 bytes, the buffer 999"):
            stream.readinto(bytearray(999))
        assert stream.readinto(bytearray(1000)) == 1000


@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("mode", ["Gray", "Color"])
def test_a_stream_has_the_pixels_of_a_page(scanner: sane.Scanner, mode: str, depth: int) -> None:
    scanner.configure(mode=mode, depth=depth, resolution=100, test_picture="Color pattern")
    page = scanner.scan().array
    with scanner.stream(chunk_rows=11, copy=True) as stream:
        rows = np.concatenate([block.rows for block in stream])
        preview = stream.preview(50)
    assert np.array_equal(rows, page)
    assert preview.dtype == page.dtype
    assert np.array_equal(preview, page[::7, ::7])


def test_a_preview_shows_what_has_come() -> None:
    with opened(Endless(5000)) as scanner, scanner.stream(chunk_rows=100) as stream:
        assert stream.preview(100).size == 0
        next(stream)
        assert stream.preview(2000).shape == (100, 1000)
        for _ in stream:
            pass
        last = stream.preview(2000)
        assert last.shape == (625, 1000)
        assert np.array_equal(last[:, 0], np.arange(0, 5000, 8) % 256)
        assert max(stream.preview(10).shape) <= 10


def test_three_frames_are_streamed_one_after_the_other(scanner: sane.Scanner) -> None:
    scanner.configure(mode="color", three_pass=True, test_picture="Color pattern")
    with pytest.raises(errors.Unsupported, match=r"stream\(frames=True\)"):
        scanner.stream()
    assert scanner.state == "idle"
    with scanner.stream(frames=True) as stream:
        formats = [block.parameters.format for block in stream if block.first == 0]
    assert formats == [const.FRAME_RED, const.FRAME_GREEN, const.FRAME_BLUE]


def test_frames_come_as_the_driver_sends_them(scanner: sane.Scanner) -> None:
    scanner.configure(mode="color", three_pass=True, ppl_loss=3)
    found = list(scanner.frames())
    assert [params.format for params, _ in found] == [2, 3, 4]
    assert all(len(data) == params.frame_bytes for params, data in found)
    assert scanner.state == "idle"


@pytest.mark.parametrize("how", ["close", "drop", "error"])
def test_a_stream_that_is_left_ends_the_job(how: str) -> None:
    device = Endless(10**6)
    with opened(device) as scanner:
        stream = scanner.stream()
        next(stream)
        if how == "close":
            stream.close()
        elif how == "error":
            with pytest.raises(KeyError), stream:
                raise KeyError
        del stream
        assert scanner.state == "idle"
        assert device.calls[-1] == "finish True"


def test_a_stream_that_is_cancelled() -> None:
    device = Waiting()
    with opened(device) as scanner:
        stream = scanner.stream()
        assert device.waits.wait(SECONDS)
        scanner.cancel()
        with pytest.raises(errors.Cancelled):
            next(stream)
        with pytest.raises(StopIteration):
            next(stream)
        device.on_read = None
        device.script = [gray(1)]
        assert scanner.scan().height == 4


def test_a_stream_that_cannot_begin() -> None:
    with opened(Sheets()) as scanner, pytest.raises(errors.NoDocs):
        scanner.stream()
    with opened(Sheets()) as scanner, pytest.raises(errors.Invalid):
        scanner.stream(chunk_rows=0)


# Progress


def told(scanner: sane.Scanner, **options: Any) -> list[sane.Progress]:
    found: list[sane.Progress] = []
    scanner.scan(progress=found.append, **options)
    return found


@pytest.mark.parametrize("three_pass", [False, True])
def test_progress_never_decreases_and_ends_with_all(
    scanner: sane.Scanner, monkeypatch: pytest.MonkeyPatch, three_pass: bool
) -> None:
    monkeypatch.setattr("sane.api.meter.TELL_SECONDS", 0)
    scanner.configure(mode="color", three_pass=three_pass, resolution=600)
    found = told(scanner)
    assert [item.phase for item in found[:2]] == ["warmup", "scan"]
    fractions = [item.fraction or 0.0 for item in found]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert fractions.count(1.0) == 1
    assert found[-1].row == found[-1].rows
    assert found[-1].bytes == found[-1].bytes_total
    assert found[-1].eta == 0
    assert {item.page for item in found} == {1}
    assert len(found) > 4


def test_progress_of_unknown_height(scanner: sane.Scanner) -> None:
    scanner.configure(mode="color", hand_scanner=True)
    last = told(scanner)[-1]
    assert (last.rows, last.bytes_total, last.fraction, last.row) == (None, None, 1.0, 334)


def test_progress_cannot_be_changed(scanner: sane.Scanner) -> None:
    last = told(scanner)[-1]
    with pytest.raises(AttributeError):
        last.row = 5
    with pytest.raises(AttributeError):
        del last.row


def test_pages_are_numbered_in_progress(scanner: sane.Scanner) -> None:
    scanner.configure(source="feeder")
    seen: list[int] = []
    count = len(list(scanner.pages(progress=lambda item: seen.append(item.page))))
    assert sorted(set(seen)) == [*range(1, count + 2)], "the last one is the empty feeder"
