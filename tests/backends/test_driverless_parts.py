"""What eSCL and WS-Scan share and needs no scanner: XML, windows, choices, tone, deliveries."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane import errors
from sane.backends._driverless import choice
from sane.backends._driverless.capabilities import (
    ADF,
    BITS,
    FLATBED,
    GRAY8,
    RGB8,
    RGB16,
    Bed,
    Kind,
    Profile,
    Resolutions,
    Scale,
    readable,
)
from sane.backends._driverless.choice import Formats
from sane.backends._driverless.deliveries import (
    MOST_BEHIND_BYTES,
    MOST_DOCUMENTS,
    Deliveries,
)
from sane.backends._driverless.tone import Tone
from sane.backends._driverless.window import Window, span
from sane.backends._driverless.xml import DEPTH, NODES, integer, parse
from sane.cancel import Cancel
from sane.option import Range
from sane.threads import start_thread

JPEG, PNG, TIFF, PDF, RAW = (
    *("image/jpeg", "image/png", "image/tiff", "application/pdf"),
    "application/octet-stream",
)

# XML


def test_xml_tells_names_texts_attributes_and_nothing_of_prefixes() -> None:
    root = parse(
        b'<?xml version="1.0"?><a:r xmlns:a="u"><a:b x="1"> t\n</a:b><c/><a:b>2</a:b></a:r>'
    )
    assert (root.namespace, root.name) == ("u", "r")
    assert [child.name for child in root.children] == ["b", "c", "b"]
    assert root.values("b") == ["t", "2"]
    assert root.value("b") == "t" and root.value("c") == root.value("d", "e") == ""
    assert root.children[0].attributes == {"x": "1"}


def test_xml_leaves_elements_of_other_namespaces_out_with_what_is_in_them() -> None:
    data = b'<r><x:y xmlns:x="strange"><b>1</b></x:y><b>2</b></r>'
    assert parse(data, lambda namespace: not namespace).values("b") == ["2"]
    with pytest.raises(errors.DeviceIOError, match="another kind"):
        parse(b'<r xmlns="strange"/>', lambda namespace: not namespace)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf<r>\xc3\xa9</r>",
        '<?xml version="1.0" encoding="UTF-16"?><r>é</r>'.encode("utf-16"),
        "<r>é</r>".encode("utf-16-le"),
        "<r>é</r>".encode("utf-16-be"),
        '\n <?xml version="1.0" encoding="utf-8"?><r>é</r>'.encode(),
        "<!doctype escl><r>é</r>".encode(),
        '<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://192.0.2.1/x.dtd"><r>é</r>'.encode(),
        "<r>é\x07</r>".encode(),
        b"<r>&#233;</r>",
    ],
)
def test_xml_in_all_ways_in_which_devices_write_it(data: bytes) -> None:
    assert parse(data).text == "é"


def test_xml_that_is_no_utf8_has_replacement_characters() -> None:
    assert parse(b"<r>a\xe9b</r>").text == "a�b"


BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no element"),
        (b"<r>", "no element|unclosed"),
        (b"garbage", "syntax|not well-formed"),
        (b"<?xml <r/>", "declaration"),
        (BOMB, "declarations"),
        (BOMB.replace(b"DOCTYPE", b"doctype"), "declarations"),
        (BOMB.replace(b"<!DOCTYPE", b"<!-- --><!DOCTYPE"), "declarations"),
        (b"<!DOCTYPE r", "declarations"),
        (b"<!DOCTYPE r><!DOCTYPE r SYSTEM 'x'><r/>", "document type"),
        (b"<r>&x;</r>", "undefined entity"),
        (b"<x:r/>", "unbound prefix"),
        (b"<r>" * (DEPTH + 1), f"more than {DEPTH}"),
        (b"<r>" + b"<i/>" * NODES + b"</r>", f"more than {NODES}"),
        (b"<r a='" + b"x" * 5000 + b"'/>", "attribute"),
        (b"<r>" + b"x" * 70_000 + b"</r>", "text"),
        (b"<r>" + b" " * (2 << 20) + b"</r>", "bytes"),
    ],
)
def test_xml_that_is_refused(data: bytes, reason: str) -> None:
    began = time.monotonic()
    with pytest.raises(errors.DeviceIOError, match=reason):
        parse(data)
    assert time.monotonic() - began < 2


@given(st.binary(max_size=300))
def test_xml_of_garbage_is_refused_or_read(data: bytes) -> None:
    try:
        parse(b"<r>" + data + b"</r>")
    except errors.DeviceIOError:
        return


@given(st.text(max_size=12))
def test_integer_of_any_text(text: str) -> None:
    value = integer(text, -5, 5)
    assert value is None or -5 <= value <= 5


def test_integer() -> None:
    assert integer(" 300 ", 0, 1000) == 300
    assert integer("2550.0", 0, 9999) == 2550
    assert integer("-3", -5, 5) == -3
    assert [integer(text, 0, 10) for text in ("", "x", "1.5", "11", "-1", "٣", "9" * 50)] == [
        None
    ] * 7


# Windows


def test_window_in_units_and_pixels() -> None:
    bed = Bed(FLATBED, 300, 2550, 3508)
    window = Window.of(bed, (10.0, 0.0, 30.0, 297.0))
    assert (window.across.start, window.across.size, window.across.skip) == (118, 236, 0)
    assert window.size(75) == (59, 877)


def test_a_small_window_is_asked_for_larger_and_cut_out() -> None:
    bed = Bed(FLATBED, 300, 2550, 3508)
    bed.least_width = 1200
    window = Window.of(bed, (10.0, 0.0, 30.0, 50.0))
    assert (window.across.start, window.across.size, window.across.skip) == (118, 1200, 0)
    assert window.size(75)[0] == 59
    right = Window.of(bed, (200.0, 0.0, 215.9, 50.0))
    assert (right.across.start, right.across.size) == (1350, 1200)
    assert right.across.skip == 2362 - 1350


def test_corners_may_be_swapped() -> None:
    bed = Bed(FLATBED, 300, 2550, 3508)
    assert repr(Window.of(bed, (30, 40, 10, 0))) == repr(Window.of(bed, (10, 0, 30, 40)))


@given(
    start=st.integers(-50, 4000),
    wanted=st.integers(-50, 4000),
    least=st.integers(0, 3000),
    most=st.integers(1, 3000),
    most_start=st.none() | st.integers(0, 3000),
)
def test_what_is_asked_for_is_always_possible(
    start: int, wanted: int, least: int, most: int, most_start: int | None
) -> None:
    found = span(start, wanted, min(least, most), most, most_start)
    assert found.start >= 0 and found.size >= 1 and found.start + found.size <= most
    assert most_start is None or found.start <= most_start
    assert found.size >= min(least, most) or most_start is not None
    assert 0 <= found.skip < found.size and found.wanted >= 1
    if 0 <= start < most and 1 <= wanted <= most - start and most_start is None:
        assert found.start + found.skip == start
        assert found.skip + found.wanted <= found.size


# Choices


def bed_of(*profiles: Profile, name: str = FLATBED) -> Bed:
    bed = Bed(name, 300, 2550, 3508)
    bed.profiles = profiles
    return bed


EVEN = Resolutions([(75, 75), (300, 300), (600, 600)])
EVERYTHING = Formats((JPEG, PNG, TIFF, PDF))


def test_jpeg_for_pictures_and_never_for_bits() -> None:
    bed = bed_of(Profile((RGB8, GRAY8, BITS), (PDF, PNG, JPEG, TIFF, RAW), {None: EVEN}))
    assert choice.choose(bed, EVERYTHING, RGB8, 300).format == JPEG
    assert choice.choose(bed, EVERYTHING, BITS, 300).format == PNG
    found = choice.choose(bed, EVERYTHING, BITS, 300, as_bits=False)
    assert (found.kind, found.format) == (GRAY8, JPEG)
    only_jpeg = bed_of(Profile((RGB8, BITS), (JPEG,), {None: EVEN}))
    assert choice.choose(only_jpeg, EVERYTHING, BITS, 300).kind == RGB8


def test_modes_and_depths_that_can_be_made() -> None:
    color = bed_of(Profile((RGB8,), (JPEG,), {None: EVEN}))
    assert choice.modes(color, EVERYTHING) == ("Color", "Gray", "Lineart")
    gray = bed_of(Profile((GRAY8,), (JPEG,), {None: EVEN}))
    assert choice.modes(gray, EVERYTHING) == ("Gray", "Lineart")
    assert choice.depths(color, EVERYTHING, "Color") == (8,)
    deep = bed_of(Profile((RGB8, RGB16), (JPEG, PNG), {None: EVEN}))
    assert choice.depths(deep, EVERYTHING, "Color") == (8, 16)
    assert choice.depths(deep, Formats((JPEG,)), "Color") == (8,)


def test_profiles_are_not_mixed() -> None:
    fine = Profile((GRAY8,), (PNG,), {None: Resolutions([(600, 600)])})
    coarse = Profile((RGB8,), (JPEG,), {None: Resolutions([(300, 300)])})
    bed = bed_of(fine, coarse)
    assert choice.resolutions(bed, EVERYTHING, RGB8) == (300,)
    assert choice.resolutions(bed, EVERYTHING, GRAY8) == (300, 600)
    assert choice.choose(bed, EVERYTHING, GRAY8, 300).kind == RGB8
    assert choice.choose(bed, EVERYTHING, GRAY8, 600).format == PNG


def test_unequal_resolutions_are_hidden_where_equal_ones_are() -> None:
    mixed = Resolutions([(200, 100), (200, 200), (200, 400), (300, 300)])
    assert mixed.offered == (200, 300)
    alone = Resolutions([(200, 100), (200, 400)])
    assert alone.offered == (100, 200)
    assert alone.pair(100) == (200, 100) and alone.pair(200) == (200, 400)


def test_a_range_of_resolutions() -> None:
    bed = bed_of(Profile((RGB8,), (JPEG,), {None: Resolutions((), 75, 600, 25)}))
    offered = choice.resolutions(bed, EVERYTHING, RGB8)
    assert isinstance(offered, Range) and (offered.min, offered.max, offered.quant) == (75, 600, 25)
    assert choice.usual(offered) == 300 and choice.preview(offered) == 75
    assert choice.choose(bed, EVERYTHING, RGB8, 450).dpi == (450, 450)


def test_a_refused_format_and_one_that_cannot_be_read() -> None:
    bed = bed_of(Profile((RGB8,), (PDF, TIFF), {None: EVEN}))
    assert choice.choose(bed, EVERYTHING, RGB8, 300).format == TIFF
    assert choice.choose(bed, Formats((JPEG, TIFF, PDF), (TIFF,)), RGB8, 300).format == PDF
    with pytest.raises(errors.Unsupported, match="pikepdf"):
        choice.choose(bed, Formats((JPEG, PNG)), RGB8, 300)


def test_the_preset_resolution_is_the_nearest_to_300() -> None:
    assert choice.usual((75, 200, 400)) == 200
    assert choice.preview((50, 75, 600)) == 75 and choice.preview((50,)) == 50


def test_a_scale_reaches_its_ends_by_way_of_what_is_normal() -> None:
    scale = Scale(1, 9, 3)
    assert [scale.at(percent) for percent in (-100, -50, 0, 50, 100)] == [1, 2, 3, 6, 9]
    assert Scale(0, 2000).normal == 1000 and Scale(-3, 3).normal == 0
    assert (Scale(9, 1, 50).low, Scale(9, 1, 50).normal) == (1, 9)


def test_a_bed_of_a_feeder() -> None:
    assert bed_of(name=ADF).is_feeder and not bed_of().is_feeder
    assert Kind("Gray", 8) == GRAY8


def test_a_name_for_a_list() -> None:
    assert readable(" HP\x07 Laser\n\tJet  ") == "HP Laser Jet"
    assert len(readable("é" * 500).encode()) == 128
    assert readable("\u202ex") == "x"


# Tone


def test_neutral_tone_changes_nothing() -> None:
    assert Tone().is_neutral and Tone().table(8) == list(range(256))


def test_tone() -> None:
    assert Tone(negative=True).table(8) == list(range(255, -1, -1))
    assert Tone(brightness=100).table(8)[0] == 128
    assert Tone(contrast=-100).table(8) == [128] * 256
    stretched = Tone(shadow=20, highlight=80).table(8)
    assert stretched[51] == 0 and stretched[204] == 255 and stretched[127] in (127, 128)
    assert Tone(gamma=2.0).table(8)[64] == 128
    assert Tone(negative=True).table(16)[0] == 65535
    assert set(Tone(shadow=60, highlight=40).table(8)) == {0, 255}


# Deliveries


@pytest.fixture
def deliveries() -> Iterator[Deliveries]:
    cancel = Cancel()
    found = Deliveries(cancel)
    yield found
    found.release()
    cancel.close()


def test_documents_come_in_their_order_and_end_as_the_job_does(deliveries: Deliveries) -> None:
    never = Cancel()
    for number in range(2):
        deliveries.begin()
        deliveries.put(b"%d" % number)
        deliveries.put(b"x")
        deliveries.end()
    deliveries.close(errors.Jammed("paper"))
    for number in range(2):
        one = deliveries.next(never.wait)
        assert one is not None
        assert [deliveries.take(one, never.wait) for _ in range(2)] == [b"%d" % number, b"x"]
        assert deliveries.take(one, never.wait) == b""
    with pytest.raises(errors.Jammed, match="paper"):
        deliveries.next(never.wait)
    assert not deliveries.has_more
    never.close()


def test_a_job_that_is_too_far_ahead_waits_until_a_page_is_asked_for(
    deliveries: Deliveries,
) -> None:
    never, begun = Cancel(), threading.Semaphore(0)

    def job() -> None:
        for _ in range(MOST_DOCUMENTS + 2):
            deliveries.begin()
            deliveries.put(b"page")
            deliveries.end()
            begun.release()
        deliveries.close(None)

    start_thread(job)
    for _ in range(MOST_DOCUMENTS):
        assert begun.acquire(timeout=5)
    assert not begun.acquire(timeout=0.05)
    assert deliveries.next(never.wait) is not None
    assert begun.acquire(timeout=5)
    assert not begun.acquire(timeout=0.05)
    while deliveries.next(never.wait) is not None:
        pass
    never.close()


def test_a_page_that_is_read_slowly_takes_little_memory(deliveries: Deliveries) -> None:
    """One that nobody has begun to read may come whole: the scanner is not to wait for that."""
    never, put = Cancel(), threading.Semaphore(0)
    piece = bytes(MOST_BEHIND_BYTES // 2)

    def job() -> None:
        for _ in range(8):
            deliveries.put(piece)
            put.release()
        deliveries.end()

    deliveries.begin()
    job()
    assert all(put.acquire(blocking=False) for _ in range(8))
    one = deliveries.next(never.wait)
    assert one is not None and one.has_ended
    while deliveries.take(one, never.wait):
        pass
    deliveries.begin()
    two = deliveries.next(never.wait)
    assert two is not None
    thread = threading.Thread(target=job)
    thread.start()
    assert all(put.acquire(timeout=5) for _ in range(2))
    assert not put.acquire(timeout=0.05)
    while deliveries.take(two, never.wait):
        assert two.size <= MOST_BEHIND_BYTES
    thread.join(5)
    assert two.has_ended
    never.close()


def test_a_waiting_job_ends_when_it_is_to_stop() -> None:
    cancel = Cancel()
    found = Deliveries(cancel)
    for _ in range(MOST_DOCUMENTS):
        found.begin()
        found.end()
    cancel.set()
    with pytest.raises(errors.Cancelled):
        found.begin()
    found.release()
    cancel.close()


def test_what_nobody_wants_is_thrown_away(deliveries: Deliveries) -> None:
    never = Cancel()
    deliveries.begin()
    deliveries.put(b"x")
    one = deliveries.next(never.wait)
    assert one is not None
    deliveries.drop(one)
    deliveries.put(b"y" * 100)
    assert one.size == 0
    deliveries.end()
    assert deliveries.take(one, never.wait) == b""
    never.close()


def test_a_reader_that_is_cancelled_does_not_wait(deliveries: Deliveries) -> None:
    cancel = Cancel()
    cancel.set()
    with pytest.raises(errors.Cancelled):
        deliveries.next(cancel.wait)
    cancel.close()
