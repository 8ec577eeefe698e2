"""pixma: packets, commands, parameters, models and plans, without a scanner."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane import errors
from sane.backends.pixma import bjnp, buttons, commands, ivec, models, parameters
from sane.backends.pixma.mp150 import Mp150, sub_images
from sane.backends.pixma.mp800 import sent_places
from sane.backends.pixma.request import (
    COLOR,
    DUPLEX,
    FEEDER,
    FLATBED,
    GRAY,
    INFRARED,
    LINEART,
    Plan,
    Request,
    modes_of,
    resolutions_of,
    sources_of,
)
from sane.backends.pixma.units import unit_for

ALL = (0.0, 0.0, 1000.0, 1000.0)


def model(key: str) -> models.Model:
    return next(model for model in models.MODELS if model.key == key)


class NoLink:
    """A link that nobody uses."""

    name, is_idle_silent = "nowhere", False


def plan(key: str, request: Request) -> Plan:
    return unit_for(NoLink(), model(key), None).plan(request)  # type: ignore[arg-type]


# Packets of the network


def test_a_discovery_is_the_known_bytes() -> None:
    (data, port), (other, mfnp_port) = bjnp.discovery()
    assert data.hex() == "424a4e50020100000000000000000000"
    assert (port, other[:4], mfnp_port) == (8612, b"MFNP", 8610)


DISCOVERED = bytes.fromhex(
    "424A4E50 82010000 00000000 00000010 00010800 0604 001E8F36B64A C0A8012D"
)


def test_an_answer_to_a_discovery() -> None:
    head, payload = bjnp.payload_of(DISCOVERED)
    assert (head.method, head.code, head.length) == ("bjnp", 1, 16)
    assert bjnp.mac_of(payload) == "001e8f36b64a"
    assert bjnp.payload_of(DISCOVERED + b"more")[1] == payload


@pytest.mark.parametrize("size", range(len(DISCOVERED)))
def test_a_datagram_that_is_cut_off_is_none(size: int) -> None:
    with pytest.raises(errors.DeviceIOError):
        bjnp.payload_of(DISCOVERED[:size])


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, b"X"), (4, b"\x02"), (5, b"\x30"), (9, b"\x07"), (12, b"\x80"), (12, b"\x00\x00\xff")],
)
def test_datagrams_of_others_are_dropped(at: int, value: bytes) -> None:
    other = DISCOVERED[:at] + value + DISCOVERED[at + len(value) :]
    assert bjnp.answers(DISCOVERED, "bjnp", bjnp.DISCOVER, 0)
    assert not bjnp.answers(other, "bjnp", bjnp.DISCOVER, 0)


@given(st.binary(max_size=200))
def test_garbage_from_the_network_ends_in_one_error(data: bytes) -> None:
    for parse in (bjnp.payload_of, bjnp.Head, bjnp.PollAnswer):
        try:
            parse(data)
        except errors.DeviceIOError as exc:
            assert data[:1].hex() in str(exc)
    assert isinstance(bjnp.mac_of(data), str)
    for method in bjnp.PORTS:
        assert len(bjnp.model_text(method, data)) <= 63


@pytest.mark.parametrize(
    ("method", "payload", "text"),
    [
        ("bjnp", b"\0\x28MFG:Canon;MDL:MG5200 series;CLS:IMAGE;", "MG5200 series"),
        ("mfnp", b"MFG:Canon;MDL:MF4800 Series;", "MF4800 Series"),
        ("mfnp", b"MFG:Canon;MODEL:MF4800;", ""),
        ("bjnp", b"\0\0MDL:" + b"A" * 2000, "A" * 63),
        ("bjnp", b"", ""),
    ],
)
def test_what_a_unit_calls_itself(method: str, payload: bytes, text: str) -> None:
    assert bjnp.model_text(method, payload) == text


def test_the_details_of_a_job() -> None:
    data = bjnp.details("host", "x" * 99, 4711)
    assert len(data) == 392
    assert data[8:16].decode("utf-16-be") == "host"
    assert data[72:136].decode("utf-16-be") == "x" * 32
    assert data[136:].decode("utf-16-be").rstrip("\0") == "Process ID = 4711"


def test_polls_have_the_known_lengths() -> None:
    names = ("host" * 20, "user" * 20)
    for kind, size in ((0, 80), (1, 80), (2, 116), (5, 100)):
        payload = bjnp.poll(kind, names, 7, 9, "20261129123456")
        assert (len(payload), payload[1]) == (size, kind)
    assert b"20261129123456\0\0" in bjnp.poll(2, names, 7, 9, "20261129123456")


def test_an_event_in_an_answer_to_a_poll() -> None:
    answer = bjnp.PollAnswer(
        bytes.fromhex("00008000") + struct.pack(">III", 3, 20, 77) + bytes(range(20))
    )
    assert (answer.dialog, answer.key, answer.event, answer.restarts) == (
        *(3, 77),
        bytes(range(20)),
        False,
    )
    assert bjnp.PollAnswer(bytes.fromhex("00000001") + bytes(12)).restarts


# Commands


def test_checksums_make_the_sum_zero() -> None:
    assert commands.with_checksum(bytearray(b"\x01\0\0\0")) == b"\x01\0\0\xff"
    late = bytearray(b"\x01\0\0\0")
    assert commands.with_checksum(late, is_late=True) == b"\x01\0\xff\0"
    assert parameters.activate_block(0, is_late=True)[-2:] == b"\xff\x01"
    assert parameters.activate_block(4, is_late=True)[-2:] == b"\xfb\x05"


class Answering:
    """A link that answers every command with the same bytes."""

    name = "it"

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.sent: list[bytes] = []

    def exchange(self, command: bytes, want: int, _seconds: float) -> bytes:
        self.sent.append(command)
        return self.answer[:want]


def ask(answer: bytes, framing: commands.Framing = commands.LONG, want: int = 8) -> bytes:
    return commands.carry_out(Answering(answer), framing, commands.STATUS_3, b"", want)


def test_a_command_in_both_framings() -> None:
    link = Answering(b"\x06\x06".ljust(8, b"\0"))
    commands.carry_out(link, commands.LONG, commands.START)
    commands.carry_out(link, commands.SHORT, commands.ACTIVATE, parameters.activate_block(4))
    assert link.sent[0] == bytes.fromhex("DB20").ljust(16, b"\0")
    assert link.sent[1] == bytes.fromhex("CF60 0000000000 000A 00 0100 0004 0000000000FB")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("1414", errors.DeviceBusy),
        ("1515", commands.Refused),
        ("1234", errors.DeviceIOError),
        ("06", errors.DeviceIOError),
        ("", errors.DeviceIOError),
        ("0606 000000000000", errors.DeviceIOError),  # no data, which were wanted
        ("0606 000000000000 0100000000000000", errors.DeviceIOError),  # the sum is not 0
        ("0606 000000000000 01000000000000", errors.DeviceIOError),
    ],
)
def test_wrong_answers_name_their_bytes(answer: str, error: type[Exception]) -> None:
    data = bytes.fromhex(answer).ljust(8 if len(answer) == 4 else 0, b"\0")
    told = "busy at command da20" if error is errors.DeviceBusy else data[:2].hex(" ") or "nothing"
    with pytest.raises(error, match=told):
        ask(data)


@given(st.binary(max_size=40), st.sampled_from([commands.LONG, commands.SHORT]))
def test_garbage_is_data_or_one_error(answer: bytes, framing: commands.Framing) -> None:
    try:
        assert len(ask(answer, framing)) == 8
    except (errors.DeviceBusy, errors.DeviceIOError):
        return


@given(st.binary(min_size=16, max_size=64))
def test_every_header_of_a_block_is_one(head: bytes) -> None:
    assert 0 <= commands.long_block(head).announced < 1 << 32
    assert 0 <= commands.short_block(head).announced < 1 << 16
    assert 0 <= commands.laser_block(head, is_long=False).announced < 1 << 16
    try:
        commands.check_block("it", commands.BLOCK, head, 16)
    except (errors.Cancelled, errors.DeviceBusy, errors.DeviceIOError):
        assert head[:2] != b"\x06\x06"


# The dialogue in XML


def test_requests_in_xml_have_the_known_lengths() -> None:
    sizes = [len(ivec.request(step)) for step in (ivec.START_JOB, ivec.SHIFT_MODE, ivec.END_JOB)]
    assert sizes == [288, 390, 262]


GOOD = (
    '<?xml version="1.0" encoding="utf-8" ?><cmd xmlns:ivec="http://a/"><ivec:contents>'
    "<ivec:param_set><ivec:response>{}</ivec:response><ivec:response_detail>{}"
    "</ivec:response_detail></ivec:param_set></ivec:contents></cmd>"
)


@pytest.mark.parametrize("end", [b"", b"\0"])
def test_a_good_answer_in_xml(end: bytes) -> None:
    ivec.check("it", ivec.START_JOB, GOOD.format("OK", "").encode() + end)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (GOOD.format("NG", "DeviceBusy"), errors.DeviceBusy),
        (GOOD.format("NG", "PCScanning"), errors.DeviceBusy),
        (GOOD.format("NG", "ScannerCarriageLockError"), errors.DeviceIOError),
        (GOOD.format("NG", ""), errors.DeviceIOError),
        (GOOD.format("OK", "").replace(' xmlns:ivec="http://a/"', ""), errors.DeviceIOError),
        (GOOD.format("OK", "")[:-1], errors.DeviceIOError),
        ("<cmd><response>OK</response></cmd>", errors.DeviceIOError),
        ("", errors.DeviceIOError),
    ],
)
def test_bad_answers_in_xml(answer: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"StartJob: .*"):
        ivec.check("it", ivec.START_JOB, answer.encode())


# Models


def test_the_table_has_all_models_once() -> None:
    assert len(models.MODELS) == 288
    assert len(models.BY_PRODUCT) == 285  # three ids stand for two models each
    keys = [found.key for found in models.MODELS]
    assert len(set(keys)) == len(keys)
    assert models.BY_PRODUCT[0x27E1].key == "MF630"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("MP560", "MP560"),
        ("MP560 series", "MP560"),
        ("MG3000 series", "MG3000"),  # not G3000, which is a part of it
        ("G3000 series", "G3000"),
        ("LiDE400", "LIDE400"),
        ("MF4570dw", "MF4570dw"),
        ("iR1018/1022/1023", "iR1018/1022/1023"),
        ("9000FMarkII", "9000FMarkII"),
        ("9000F", "9000F"),
        ("Canon MG5300-x", "MG5300"),
        ("MG53001", ""),
        ("", ""),
    ],
)
def test_a_model_is_found_by_what_it_calls_itself(text: str, key: str) -> None:
    found = models.model_called(text)
    assert (found.key if found else "") == key


@pytest.mark.parametrize("found", models.MODELS, ids=lambda found: found.key)
def test_each_model_is_found_by_its_key(found: models.Model) -> None:
    assert models.model_called(f"{found.key} series") is found


def test_names_of_models() -> None:
    names = {key: model(key).name for key in ("MP560", "TS8200", "MB5000", "XK70", "LIDE400")}
    assert names == {
        "MP560": "Canon PIXMA MP560",
        "TS8200": "Canon PIXMA TS8200 Series",
        "MB5000": "Canon MAXIFY MB5000 Series",
        "XK70": "Canon PIXUS XK70 Series",
        "LIDE400": "CanoScan LiDE 400",
    }


def test_resolutions_depend_on_source_and_mode() -> None:
    assert resolutions_of(model("MX320"), FLATBED, COLOR) == (75, 150, 300, 600, 1200)
    assert resolutions_of(model("MX320"), FEEDER, COLOR)[-1] == 600
    film = "Transparency Unit"
    assert resolutions_of(model("9000F"), film, INFRARED) == (600, 1200, 2400)
    assert resolutions_of(model("9000F"), film, COLOR)[::5] == (300, 9600)
    assert resolutions_of(model("9000F"), FLATBED, "48 bits color")[0] == 150
    assert sources_of(model("MX870"))[-1] == DUPLEX
    assert modes_of(model("9000F"), film) == (COLOR, GRAY, INFRARED)


# Parameters, as the original sends them. Source: specification pixma 2.5


def test_parameters_of_generation_2() -> None:
    request = Request(model("MP600"), FLATBED, GRAY, 75, (10, 20, 60, 50))
    assert parameters.old_block(plan("MP600", request), model("MP600")) == bytes.fromhex(
        "00 00 00 00 80 4B 80 4B 00 00 00 00 00 00 00 3B 00 00 00 C0 00 00 00 59 04 08 00 00 00 00"
        "00 00 FF 00 00 81 00 00 02 01 00 00 00 00 00 00 00 87"
    )


def test_parameters_of_generation_4() -> None:
    corners = (64 / 150 * 25.4, 41 / 150 * 25.4, 64 / 150 * 25.4 + 37.9, 41 / 150 * 25.4 + 21)
    request = Request(model("MP560"), FLATBED, GRAY, 150, corners)
    block = parameters.new_block(plan("MP560", request), model("MP560"), 0, "")
    assert block == bytes.fromhex(
        "01 01 01 00 00 01 00 00 80 96 80 96 00 00 00 40 00 00 00 29 00 00 00 E0 00 00 00 7C 04 08"
        "00 01 FF 81 00 02 01 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 7A"
    )


def test_parameters_of_infrared_film() -> None:
    request = Request(model("9000F"), "Transparency Unit", INFRARED, 600, ALL)
    block = parameters.new_block(plan("9000F", request), model("9000F"), 0, "")
    assert block[:6] == bytes.fromhex("03 02 01 00 00 01")
    assert block[0x1C:0x26] == bytes.fromhex("08 30 01 00 FF 81 00 02 01 00")


def test_gamma_tables() -> None:
    straight = parameters.gamma_values(1.0, parameters.GAMMA_WORDS)
    assert (straight[0], straight[-1], len(straight)) == (0, 65535, 1024)
    block = parameters.gamma_block(straight, is_color=True)
    assert (len(block), block[:8].hex(), sum(block) % 256) == (2056, "1000080400004000", 0)
    small = parameters.gamma_values(2.2, parameters.GAMMA_BYTES)
    block = parameters.gamma_block(small, is_color=False)
    assert (len(block), block[:4].hex(), max(small)) == (4104, "01001004", 255)


# Plans


@pytest.mark.parametrize("found", models.MODELS, ids=lambda found: found.key)
def test_every_model_has_a_plan_for_everything(found: models.Model) -> None:
    for source in sources_of(found):
        for mode in modes_of(found, source):
            if source == "Transparency Unit" and mode == LINEART:
                continue
            dpi = resolutions_of(found, source, mode)[-1]
            area = (10.0, 10.0, 20.0, 14.0)
            made = plan(found.key, Request(found, source, mode, dpi, area))
            assert made.layout.row_bytes >= made.width // 8
            assert made.wire_width >= made.width * made.scale // 2


@given(
    st.sampled_from(["MP150", "MP560", "MX870", "LIDE400", "MF4270", "9000F", "MP730"]),
    st.tuples(*[st.floats(-1000, 1000, allow_nan=False)] * 4),
    st.sampled_from([75, 150, 300, 600]),
    st.sampled_from([COLOR, GRAY, LINEART]),
)
def test_areas_stay_on_the_glass(
    key: str, corners: tuple[float, float, float, float], dpi: int, mode: str
) -> None:
    found = model(key)
    request = Request(found, FLATBED, mode, dpi, corners)
    fitted = Plan(request)
    fitted.fit()
    assert fitted.width >= 16
    assert fitted.lines >= 16
    assert fitted.left + fitted.width <= found.width * dpi // 75
    assert fitted.top + fitted.lines <= found.height * dpi // 75
    assert plan(key, request).lines >= 1


def test_sub_images_are_those_of_the_models() -> None:
    counts = {
        (key, dpi): sub_images(model(key), dpi)
        for key, dpi in [
            *(("MP150", 1200), ("MP600", 1200), ("MP600", 2400), ("MP610", 4800)),
            *(("MP220", 1200), ("MP560", 2400), ("MG5300", 2400), ("MG6200", 4800), ("XK90", 1200)),
        ]
    }
    assert list(counts.values()) == [1, 1, 2, 8, 1, 4, 1, 8, 1]


@pytest.mark.parametrize(
    ("key", "dpi", "width"),
    [
        *(("MP810", 4800, 64), ("9000F", 9600, 128), ("9000F", 4800, 64), ("MP970", 2400, 64)),
        *(("8800F", 4800, 96), ("MP990", 4800, 160)),
    ],
)
def test_every_pixel_of_a_line_has_its_place(key: str, dpi: int, width: int) -> None:
    places = sent_places(model(key), dpi, width)
    assert places is not None
    assert sorted(places) == list(range(width))


def test_a_feeder_of_late_generations_scans_600_dpi_at_most() -> None:
    found = model("MX920")
    request = Request(found, FEEDER, COLOR, 1200, (0, 0, 100, 100))
    made = plan("MX920", request)
    assert (made.dpi, made.width) == (600, request.width // 2)


@pytest.mark.parametrize(
    ("key", "source", "mode", "millimetres", "size"),
    [
        ("MX870", FEEDER, GRAY, 0.1, (16, 16)),
        ("MX870", FEEDER, LINEART, 0.1, (16, 16)),
        ("MX870", FEEDER, LINEART, 1.0, (24, 24)),
        ("MP360", FLATBED, GRAY, 0.1, (16, 16)),
        ("MP360", FLATBED, LINEART, 0.7, (32, 16)),
        ("MP360", FLATBED, COLOR, 0.1, (16, 16)),
    ],
)
def test_a_scan_at_half_the_resolution_has_its_least_size(
    key: str, source: str, mode: str, millimetres: float, size: tuple[int, int]
) -> None:
    """Of 1200 dpi, these scan 600 but for colour on the glass."""
    end = 30 + millimetres
    made = plan(key, Request(model(key), source, mode, 1200, (30, 30, end, end)))
    assert (made.width, made.lines) == size


# Events


@pytest.mark.parametrize(
    ("key", "packet", "button", "target"),
    [
        ("MP600", "01 05" + "00" * 14, 1, 5),
        ("MP600", "12 03" + "00" * 14, 2, 3),
        ("MG5300", "00" * 7 + "02" + "0000" + "01 04 03" + "000000", 2, 4),
        ("LIDE400", "00" * 19 + "06", 2, 6),
        ("LIDE400", "00" * 19 + "03", 1, 3),
        ("9000F", "00 50" + "00" * 14, 2, 5),
        ("8800F", "00 50" + "00" * 14, 1, 5),
        ("MP730", "00" * 7 + "10", 1, 0),
        ("MP750", "00" * 15 + "02", 1, 0),
        ("MF4690", "00" * 15 + "01", 1, 0),
    ],
)
def test_events(key: str, packet: str, button: int, target: int) -> None:
    event = buttons.event_of(model(key), bytes.fromhex(packet))
    assert event is not None
    assert (event.button, event.target) == (button, target)


@given(st.binary(max_size=80), st.sampled_from(["MP600", "MG5300", "LIDE400", "MP730", "MF4690"]))
def test_any_packet_is_an_event_or_none(packet: bytes, key: str) -> None:
    event = buttons.event_of(model(key), packet)
    assert event is None or event.button in (0, 1, 2)


def test_one_family_is_one_unit() -> None:
    assert isinstance(unit_for(NoLink(), model("MP560"), None), Mp150)  # type: ignore[arg-type]
