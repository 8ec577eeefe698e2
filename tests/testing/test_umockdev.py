"""Emulated USB devices through umockdev, as a libusb program sees them: no kernel, no hardware."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from sane.testing.usb.hosted import Bus, HostError, Umockdev
from tests import ROOT
from tests.conftest import ABSENT
from tests.fakes.loopback import BULK_IN, BULK_OUT, Loopback

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Device

pytestmark = pytest.mark.process

CLIENT = ROOT / "tests" / "testing" / "usb_client.py"
TIMEOUT = 20


@pytest.fixture
def loopback(usb_bus: Umockdev) -> Device:
    pytest.importorskip("usb.core", reason=f"{ABSENT}pyusb")
    return usb_bus.plug(Loopback)


def start(bus: Umockdev, *what: str) -> subprocess.Popen[str]:
    """Start the client."""
    return subprocess.Popen(
        [sys.executable, str(CLIENT), *what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **bus.environment},
        text=True,
    )


def run(bus: Umockdev, *what: str) -> list[str]:
    """Run the client; return the lines that it printed."""
    with start(bus, *what) as process:
        return process.communicate(timeout=TIMEOUT)[0].splitlines()


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("echo", ["b'hello'"]),
        ("sizes", [f"{n} True" for n in (1, 511, 513, 16384, 65537, 1 << 20)]),
        ("whole_packets", ["110", "516 b'rest'", "512"]),
        ("timeout", ["110 True", "b'hello'"]),
        ("babble", ["75"]),
        ("stall", ["32", "b'hello'"]),
        ("control", ["b'none'", "3", "b'abc'", "32"]),
        ("reset", ["110", "b'hello'"]),
        ("configure", ["b'hello'"]),
        ("strings", ["PySANE loopback 42"]),
    ],
)
def test_a_libusb_program_sees_a_device(
    usb_bus: Umockdev, loopback: Device, what: str, lines: list[str]
) -> None:
    assert run(usb_bus, what) == lines


def test_an_interrupt_endpoint_reports_a_button(usb_bus: Umockdev, loopback: Device) -> None:
    with start(usb_bus, "button") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        loopback.call("press", 3)
        assert process.communicate(timeout=TIMEOUT)[0] == "b'\\x03'\n"


def test_one_program_at_a_time_claims_an_interface(usb_bus: Umockdev, loopback: Device) -> None:
    with start(usb_bus, "hold") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "claimed\n"
        assert run(usb_bus, "echo") == ["failed 16"]
        first.communicate("\n", timeout=TIMEOUT)
    assert run(usb_bus, "echo") == ["b'hello'"]


def test_a_killed_program_leaves_nothing_behind(usb_bus: Umockdev, loopback: Device) -> None:
    with start(usb_bus, "pending") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=TIMEOUT)
    deadline = time.monotonic() + TIMEOUT
    while (found := run(usb_bus, "echo")) == ["failed 16"]:  # the bus has not noticed its end yet
        assert time.monotonic() < deadline, "the interface stays claimed"
    assert found == ["b'hello'"]


def test_an_unplugged_device_is_gone(usb_bus: Umockdev, loopback: Device) -> None:
    with start(usb_bus, "pending") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        loopback.unplug()
        assert process.communicate(timeout=TIMEOUT)[0] == "19\n"
    assert loopback.is_gone
    assert run(usb_bus, "echo") == ["no device"]


def test_a_device_unplugs_itself_at_a_fault(usb_bus: Umockdev, loopback: Device) -> None:
    loopback.fault("unplug", BULK_IN)
    assert run(usb_bus, "echo") == ["19"]
    assert run(usb_bus, "echo") == ["no device"]


def test_a_slow_device_answers_in_the_end(usb_bus: Umockdev, loopback: Device) -> None:
    loopback.fault("slow", BULK_IN, seconds=0.2)
    loopback.fault("slow", BULK_OUT, seconds=0.1)
    assert run(usb_bus, "echo") == ["b'hello'"]


def test_the_trace_is_the_assertion_log(usb_bus: Umockdev, loopback: Device) -> None:
    run(usb_bus, "echo")
    assert loopback.outputs() == [b"Ehello"]
    answers = [event for event in loopback.trace(clear=True) if event.kind == "in"]
    assert [(event.endpoint, event.data, event.status) for event in answers] == [
        (BULK_IN, b"hello", 0)
    ]
    assert loopback.trace() == []


def test_several_devices_are_listed(usb_bus: Umockdev) -> None:
    names = [usb_bus.plug(Loopback, product=0x10 + n).name for n in range(3)]
    done = subprocess.run(
        ["lsusb"], env={**os.environ, **usb_bus.environment}, capture_output=True, check=True
    )
    for number, name in enumerate(names):
        bus, address = name.split(":")[1:]
        line = f"Bus {bus} Device {address}: ID 1209:001{number}"
        assert line.encode() in done.stdout


def test_a_bus_that_has_given_out_its_addresses_is_followed_by_another(usb_bus: Umockdev) -> None:
    names = []
    for _ in range(128):
        device = usb_bus.plug(Loopback)
        names.append(device.name)
        device.unplug()
    assert len(set(names)) == 128
    assert max(int(name.split(":")[2]) for name in names) <= 127
    assert len({name.split(":")[1] for name in names}) > 1


def test_attributes_of_the_device_are_read_and_set(usb_bus: Umockdev, loopback: Device) -> None:
    loopback.set("stored", b"set")
    assert run(usb_bus, "control")[0] == "b'set'"
    assert loopback.get("stored") == b"abc"


def test_mistakes_come_back_with_their_cause(usb_bus: Umockdev, loopback: Device) -> None:
    with pytest.raises(HostError, match="no attribute 'vender'"):
        usb_bus.plug(Loopback, vender=1)
    with pytest.raises(HostError, match="no attribute 'nothing'"):
        loopback.set("nothing", 1)
    with pytest.raises(ValueError, match="fault 'sloth'"):
        loopback.fault("sloth", BULK_IN)


def test_a_host_that_ends_is_reported() -> None:
    with pytest.raises(HostError, match="ended with status 1"):
        Bus(sys.executable, "no-such-transport")
