"""The USB device model by plain calls: packets, halts, cancelling, requests, faults, the trace."""

from __future__ import annotations

import struct
from errno import EOVERFLOW, EPIPE, ESHUTDOWN

import pytest

from sane.testing.usb import FULL, HIGH, SUPER, Endpoint, Event, Fault, Interface, UsbDevice
from sane.testing.usb.descriptors import read_configuration
from tests.fakes.loopback import BULK_IN, BULK_OUT, EVENTS, GET, SET, Loopback


class Clock:
    """What a transport's loop does with time, on demand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, object]] = []

    def call_later(self, seconds: float, function: object) -> None:
        self.timers.append((self.now + seconds, function))

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer[0] <= self.now]
        self.timers = [timer for timer in self.timers if timer[0] > self.now]
        for _, function in due:
            function()  # type: ignore[operator]


class Host:
    """The host's side: requests with numbers, and how they ended."""

    def __init__(self, device: UsbDevice) -> None:
        self.device = device
        self.clock = Clock()
        device.call_later = self.clock.call_later
        self.ended: dict[int, tuple[int, bytes]] = {}
        self.number = 0

    def key(self) -> int:
        self.number += 1
        return self.number

    def ask(self, length: int, endpoint: int = BULK_IN) -> int:
        """Submit an IN request; return its number."""
        key = self.key()
        self.device.submit_in(endpoint, key, length, lambda *end: self.ended.update({key: end}))
        return key

    def read(self, length: int, endpoint: int = BULK_IN) -> tuple[int, bytes] | None:
        """Submit an IN request; return how it ended, None if it waits."""
        return self.ended.get(self.ask(length, endpoint))

    def write(self, data: bytes, endpoint: int = BULK_OUT) -> int | None:
        key = self.key()
        self.device.submit_out(endpoint, key, data, lambda *end: self.ended.update({key: end}))
        end = self.ended.get(key)
        return None if end is None else end[0]

    def control(
        self, kind: int, request: int, value: int = 0, index: int = 0, data: bytes | int = 255
    ) -> tuple[int, bytes] | None:
        length, sent = (data, b"") if isinstance(data, int) else (len(data), data)
        setup = struct.pack("<BBHHH", kind, request, value, index, length)
        key = self.key()
        self.device.submit_control(key, setup, sent, lambda *end: self.ended.update({key: end}))
        return self.ended.get(key)


@pytest.fixture
def host() -> Host:
    return Host(Loopback())


# Packets


@pytest.mark.parametrize(
    ("sent", "asked", "results"),
    [
        (b"abc", (3,), [(0, b"abc")]),
        (b"abc", (512, 1), [(0, b"abc"), None]),
        (b"", (10, 10), [(0, b""), None]),
        (b"x" * 512, (512, 1), [(0, b"x" * 512), None]),
        (b"x" * 512, (1024,), [None]),
        (b"x" * 1000, (1024,), [(0, b"x" * 1000)]),
        (b"x" * 1000, (512, 512), [(0, b"x" * 512), (0, b"x" * 488)]),
        (b"x" * 2048, (1024, 512, 512), [(0, b"x" * 1024), (0, b"x" * 512), (0, b"x" * 512)]),
        (b"x" * 1025, (1025,), [(0, b"x" * 1025)]),
        (b"x" * 100, (14,), [(-EOVERFLOW, b"")]),
        (b"x" * 1100, (600,), [(-EOVERFLOW, b"x" * 512)]),
        (b"x" * 512, (0,), [(-EOVERFLOW, b"")]),
    ],
)
def test_a_transfer_meets_requests_packet_by_packet(
    host: Host, sent: bytes, asked: tuple[int, ...], results: list[tuple[int, bytes] | None]
) -> None:
    host.device.send(BULK_IN, sent)
    assert [host.read(length) for length in asked] == results


def test_whole_packets_end_a_longer_request_only_with_an_empty_one(host: Host) -> None:
    waiting = host.ask(4096)
    host.device.send(BULK_IN, b"x" * 1024)
    assert waiting not in host.ended
    host.device.send(BULK_IN, b"y" * 512, zlp=True)
    assert host.ended[waiting] == (0, b"x" * 1024 + b"y" * 512)


def test_an_empty_packet_follows_whole_packets_only(host: Host) -> None:
    host.device.send(BULK_IN, b"abc", zlp=True)
    assert host.read(512) == (0, b"abc")
    assert host.read(512) is None


def test_the_packet_that_babbled_stays(host: Host) -> None:
    host.device.send(BULK_IN, b"x" * 100)
    assert host.read(14) == (-EOVERFLOW, b"")
    assert host.read(512) == (0, b"x" * 100)


def test_several_requests_wait_in_order(host: Host) -> None:
    first, second = host.ask(512), host.ask(512)
    host.device.send(BULK_IN, b"one")
    host.device.send(BULK_IN, b"two")
    assert (host.ended[first], host.ended[second]) == ((0, b"one"), (0, b"two"))


@pytest.mark.parametrize(("speed", "packet"), [(FULL, 64), (HIGH, 512), (SUPER, 1024)])
def test_packets_are_as_large_as_the_speed_says(speed: int, packet: int) -> None:
    host = Host(Loopback(speed=speed))
    host.device.send(BULK_IN, b"x" * (packet + 1))
    assert host.read(packet) == (0, b"x" * packet)
    assert host.read(packet) == (0, b"x")


def test_endpoints_do_not_mix(host: Host) -> None:
    host.device.send(EVENTS, b"\1")
    assert host.read(10) is None
    assert host.read(8, EVENTS) == (0, b"\1")


# Cancelling


def test_a_cancelled_request_leaves_what_it_had_got(host: Host) -> None:
    request = host.ask(4096)
    host.device.send(BULK_IN, b"x" * 512)
    assert host.device.cancel(request)
    assert request not in host.ended
    host.device.send(BULK_IN, b"rest")
    assert host.read(4096) == (0, b"x" * 512 + b"rest")


def test_cancelling_what_has_ended_is_refused(host: Host) -> None:
    host.device.send(BULK_IN, b"abc")
    request = host.ask(512)
    assert not host.device.cancel(request)
    assert not host.device.cancel("never")


# Halts


def test_a_halt_lasts_until_it_is_cleared(host: Host) -> None:
    waiting = host.ask(10)
    host.device.send(BULK_IN, b"")
    host.device.stall(BULK_IN)
    host.device.send(BULK_IN, b"later")
    assert host.ended[waiting] == (0, b"")
    assert host.read(10) == host.read(10) == (-EPIPE, b"")
    assert host.control(0x82, 0, 0, BULK_IN, 2) == (0, b"\1\0")
    assert host.control(0x02, 1, 0, BULK_IN, b"") == (0, b"")  # CLEAR_FEATURE(ENDPOINT_HALT)
    assert host.control(0x82, 0, 0, BULK_IN, 2) == (0, b"\0\0")
    assert host.read(10) == (0, b"later")


def test_a_halt_ends_waiting_requests(host: Host) -> None:
    waiting = host.ask(10)
    host.write(b"?")  # the loopback stalls at what it does not know
    assert host.ended[waiting] == (-EPIPE, b"")


def test_a_halted_out_endpoint_delivers_nothing(host: Host) -> None:
    host.device.stall(BULK_OUT)
    assert host.write(b"Eabc") == -EPIPE
    host.device.clear_halt(BULK_OUT)
    assert host.write(b"Edef") == 0
    assert host.read(10) == (0, b"def")


def test_the_host_may_set_a_halt(host: Host) -> None:
    assert host.control(0x02, 3, 0, BULK_IN, b"") == (0, b"")
    assert host.read(10) == (-EPIPE, b"")


@pytest.mark.parametrize("what", ["reset", "configure"])
def test_reset_and_configuration_clear_fifos_and_halts(host: Host, what: str) -> None:
    host.device.send(BULK_IN, b"stale")
    host.device.stall(BULK_OUT)
    if what == "reset":
        host.device.reset()
    else:
        assert host.control(0x00, 9, 1, 0, b"") == (0, b"")
    assert host.read(10) is None
    assert host.write(b"S") == 0
    assert host.device.resets == 1  # type: ignore[attr-defined]


# Control requests


def test_standard_requests_are_answered(host: Host) -> None:
    assert host.control(0x80, 6, 0x0100, 0, 64) == (0, host.device.descriptor)
    assert host.control(0x80, 6, 0x0100, 0, 8) == (0, host.device.descriptor[:8])
    assert host.control(0x80, 6, 0x0200, 0, 9) == (0, host.device.configuration[:9])
    assert host.control(0x80, 6, 0x0302, 0x0409) == (0, b"\x12\3" + "loopback".encode("utf-16-le"))
    assert host.control(0x80, 6, 0x0304, 0x0409) == (-EPIPE, b"")  # no fourth string
    assert host.control(0x80, 6, 0x0600, 0, 10) == (-EPIPE, b"")  # no qualifier
    assert host.control(0x80, 6, 0x0F00, 0, 5) == (-EPIPE, b"")  # BOS: at super speed only
    assert host.control(0x80, 8, 0, 0, 1) == (0, b"\0")
    assert host.control(0x00, 9, 1, 0, b"") == (0, b"")
    assert host.control(0x80, 8, 0, 0, 1) == (0, b"\1")
    assert host.control(0x00, 9, 7, 0, b"") == (-EPIPE, b"")
    assert host.control(0x01, 11, 0, 1, b"") == (0, b"")
    assert host.control(0x01, 11, 3, 1, b"") == (-EPIPE, b"")
    assert host.control(0x81, 10, 0, 1, 1) == (0, b"\0")
    assert host.control(0x80, 0, 0, 0, 2) == (0, b"\1\0")


def test_a_super_speed_device_says_what_it_can_do() -> None:
    end = Host(Loopback(speed=SUPER)).control(0x80, 6, 0x0F00)
    assert end is not None
    assert struct.unpack_from("<BBHB", end[1]) == (5, 15, len(end[1]), 2)


def test_other_requests_reach_the_device(host: Host) -> None:
    assert host.control(0x40, SET, 0, 0, b"value") == (0, b"")
    assert host.control(0xC0, GET) == (0, b"value")
    assert host.control(0xC0, 0x7F) == (-EPIPE, b"")


def test_a_control_answer_that_is_too_long_is_babble(host: Host) -> None:
    assert host.control(0xC0, GET, 0, 0, 2) == (-EOVERFLOW, b"")


# Descriptors


@pytest.mark.parametrize("speed", [FULL, HIGH, SUPER])
def test_a_configuration_is_read_back(speed: int) -> None:
    device = Loopback(speed=speed)
    assert [i.number for i in device.interfaces] == [0, 1]
    assert [e.address for e in device.interfaces[0].endpoints] == [BULK_IN, BULK_OUT, EVENTS]
    again = UsbDevice(speed=speed, configuration=device.configuration)
    assert again.interfaces == device.interfaces


@pytest.mark.parametrize(
    "raw",
    [
        bytes.fromhex("09022000010100c0"),  # cut in a descriptor
        bytes.fromhex("0902120001 0100c001 0009".replace(" ", "")),  # of no length
        bytes.fromhex("09021000010100c001 07058102000200".replace(" ", "")),  # before an interface
    ],
)
def test_a_contradictory_configuration_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"descriptor of|endpoint before"):
        read_configuration(raw)


def test_attributes_can_be_given_as_keywords() -> None:
    device = UsbDevice(
        vendor=0x04B8, product=0x011E, interfaces=(Interface((Endpoint(0x85),), number=2),)
    )
    assert struct.unpack_from("<HH", device.descriptor, 8) == (0x04B8, 0x011E)
    assert device.alternates == {2: 0}
    with pytest.raises(TypeError, match="no attribute 'vender'"):
        UsbDevice(vender=1)


# Faults


def test_short_surplus_replaced_repeated_and_dropped_transfers(host: Host) -> None:
    device = host.device
    for kind, words in (
        ("short", {"size": 2}),
        ("surplus", {"data": b"!!"}),
        ("replace", {"data": b"garbage"}),
        ("drop", {}),
        ("empty", {}),
        ("short", {"size": 0}),
    ):
        device.faults.add(Fault(kind, BULK_IN, **words))
    for number in range(7):
        device.send(BULK_IN, b"abcd%d" % number)
    got = [host.read(512) for _ in range(7)]
    texts = [b"ab", b"abcd1!!", b"garbage", b"", b"abcd4", b"", b"abcd6"]
    assert got == [(0, text) for text in texts]


def test_a_stale_answer_is_the_one_before(host: Host) -> None:
    host.device.faults.add(Fault("repeat", BULK_IN, after=1))
    host.device.send(BULK_IN, b"one")
    host.device.send(BULK_IN, b"two")
    assert [host.read(512), host.read(512)] == [(0, b"one"), (0, b"one")]


def test_faults_wait_for_their_transfer_and_last_their_times(host: Host) -> None:
    host.device.faults.add(Fault("short", BULK_IN, after=2, times=2, size=1))
    for _ in range(5):
        host.device.send(BULK_IN, b"abc")
    sizes = [len((host.read(512) or (0, b""))[1]) for _ in range(5)]
    assert sizes == [3, 3, 1, 1, 3]


def test_babble_ends_one_request(host: Host) -> None:
    host.device.faults.add(Fault("babble", BULK_IN))
    host.device.send(BULK_IN, b"one")
    host.device.send(BULK_IN, b"two")
    assert [host.read(512), host.read(512)] == [(-EOVERFLOW, b""), (0, b"two")]


def test_a_stalled_transfer_follows_after_the_halt(host: Host) -> None:
    host.device.faults.add(Fault("stall", BULK_IN))
    host.device.send(BULK_IN, b"abc")
    assert host.read(512) == (-EPIPE, b"")
    host.device.clear_halt(BULK_IN)
    assert host.read(512) == (0, b"abc")


def test_a_slow_transfer_holds_back_what_follows(host: Host) -> None:
    host.device.faults.add(Fault("slow", BULK_IN, seconds=2))
    host.device.send(BULK_IN, b"one")
    host.device.send(BULK_IN, b"two")
    first, second = host.ask(512), host.ask(512)
    host.clock.advance(1.9)
    assert not host.ended
    host.clock.advance(0.1)
    assert host.ended == {first: (0, b"one"), second: (0, b"two")}


def test_a_device_that_hangs_is_freed_by_a_reset(host: Host) -> None:
    host.device.faults.add(Fault("hang", BULK_IN))
    host.device.send(BULK_IN, b"one")
    request = host.ask(512)
    host.clock.advance(1e6)
    assert not host.ended
    assert host.device.cancel(request)
    host.device.reset()
    host.device.send(BULK_IN, b"two")
    assert host.read(512) == (0, b"two")


def test_a_device_vanishes_in_mid_transfer(host: Host) -> None:
    gone: list[tuple[str, int]] = []
    host.device.leaving = lambda: gone.append(("leaving", len(host.ended)))
    host.device.unplugged = lambda: gone.append(("unplugged", len(host.ended)))
    host.device.faults.add(Fault("unplug", BULK_IN, after=1, size=1500))
    host.device.send(BULK_IN, b"x" * 2048)
    host.device.send(BULK_IN, b"y" * 2048)
    assert host.read(2048) == (0, b"x" * 2048)
    assert host.read(2048) == (-ESHUTDOWN, b"y" * 1024)
    assert gone == [("leaving", 1), ("unplugged", 2)]
    assert host.read(10) == (-ESHUTDOWN, b"")
    assert host.write(b"E") == -ESHUTDOWN
    assert host.control(0x80, 6, 0x0100) == (-ESHUTDOWN, b"")


@pytest.mark.parametrize("kind", ["drop", "stall", "slow", "hang", "unplug"])
def test_faults_of_out_transfers(host: Host, kind: str) -> None:
    host.device.faults.add(Fault(kind, BULK_OUT, seconds=1))
    status = host.write(b"Eabc")
    assert status == {"drop": 0, "stall": -EPIPE, "unplug": -ESHUTDOWN}.get(kind)
    host.clock.advance(1)
    answer = host.read(10)
    assert answer == {"slow": (0, b"abc"), "unplug": (-ESHUTDOWN, b"")}.get(kind)


def test_a_held_out_transfer_can_be_cancelled(host: Host) -> None:
    host.device.faults.add(Fault("slow", BULK_OUT, seconds=1))
    assert host.write(b"Eabc") is None
    assert host.device.cancel(host.number)
    host.clock.advance(1)
    assert not host.ended
    assert host.read(10) is None


def test_unplugging_ends_what_is_held(host: Host) -> None:
    host.device.faults.add(Fault("hang", BULK_OUT))
    assert host.write(b"Eabc") is None
    number = host.number
    host.device.unplug()
    host.device.unplug()
    assert host.ended[number] == (-ESHUTDOWN, b"")


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (Fault("short", 0, size=2), (0, b"no")),
        (Fault("replace", 0, data=b"??"), (0, b"??")),
        (Fault("stall", 0), (-EPIPE, b"")),
        (Fault("unplug", 0), (-ESHUTDOWN, b"")),
        (Fault("hang", 0), None),
    ],
)
def test_faults_of_control_requests(
    host: Host, fault: Fault, end: tuple[int, bytes] | None
) -> None:
    host.device.faults.add(fault)
    assert host.control(0x80, 6, 0x0100) == (0, host.device.descriptor)  # none of standard ones
    assert host.control(0xC0, GET) == end


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("short", BULK_OUT), "fault 'short' on endpoint 0x02: not in"),
        (Fault("surplus", 0), "fault 'surplus' on endpoint 0x00"),
        (Fault("sloth", BULK_IN), "fault 'sloth' on endpoint 0x81"),
        (Fault("drop", BULK_IN, times=0), "after 0 transfers, 0 times"),
    ],
)
def test_an_impossible_fault_is_refused(host: Host, fault: Fault, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        host.device.faults.add(fault)


def test_cleared_faults_do_not_happen(host: Host) -> None:
    host.device.faults.add(Fault("drop", BULK_IN))
    host.device.faults.clear()
    host.device.send(BULK_IN, b"abc")
    assert host.read(10) == (0, b"abc")


# The trace


def test_the_trace_tells_what_happened(host: Host) -> None:
    host.device.faults.add(Fault("stall", BULK_IN))
    host.write(b"Eabc")
    host.read(10)
    host.control(0xC0, GET, 1, 2, 4)
    host.device.clear_halt(BULK_IN)
    host.read(10)
    host.device.cancel(host.ask(10))
    host.device.unplug()
    setup = bytes.fromhex("c001010002000400")
    assert host.device.trace == [
        Event("out", BULK_OUT, b"Eabc", 4),
        Event("fault", BULK_IN, note="stall"),
        Event("in", BULK_IN, b"", 0, -EPIPE),
        Event("control", 0, b"none", 4, 0, setup),
        Event("clear-halt", BULK_IN),
        Event("in", BULK_IN, b"abc", 3),
        Event("cancel"),
        Event("unplug"),
    ]


def test_the_trace_keeps_the_beginning_of_long_transfers(host: Host) -> None:
    host.device.send(BULK_IN, bytes(5000))
    host.read(5000)
    assert (host.device.trace[-1].length, len(host.device.trace[-1].data)) == (5000, 1024)
