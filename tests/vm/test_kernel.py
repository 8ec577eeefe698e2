"""Emulated USB devices on a real kernel's stack, as a libusb program sees them."""

from __future__ import annotations

import sys

import pytest

from sane.testing.usb import FULL, SUPER
from tests import ROOT
from tests.fakes.loopback import BULK_IN, BULK_OUT, Loopback
from tests.vm.conftest import Guest

CLIENT = f"{sys.executable} {ROOT}/tests/testing/usb_client.py"


def run(guest: Guest, *what: str) -> list[str]:
    return guest.machine.check(f"{CLIENT} {' '.join(what)}").splitlines()


def test_a_device_does_all_that_it_does_without_a_kernel(guest: Guest) -> None:
    guest.plug(Loopback)
    scenes = {
        "echo": ["b'hello'"],
        "sizes": [f"{n} True" for n in (1, 511, 513, 16384, 65537, 1 << 20)],
        "whole_packets": ["110", "516 b'rest'", "512"],
        "timeout": ["110 True", "b'hello'"],
        "stall": ["32", "b'hello'"],
        "control": ["b'none'", "3", "b'abc'", "32"],
        "reset": ["110", "b'hello'"],
        "configure": ["b'hello'"],
        "strings": ["PySANE loopback 42"],
        "babble": ["75"],
    }
    lines = run(guest, *scenes)
    assert lines == [line for scene in scenes.values() for line in scene]


@pytest.mark.parametrize("speed", [FULL, SUPER])
def test_devices_of_other_speeds_work(guest: Guest, speed: int) -> None:
    guest.plug(Loopback, speed=speed)
    expected = [f"{n} True" for n in (1, 511, 513, 16384, 65537, 1 << 20)]
    assert run(guest, "sizes") == expected
    speeds = guest.machine.check("cat /sys/bus/usb/devices/*-[1-9]*/speed 2>/dev/null").split()
    assert speeds == [{FULL: "12", SUPER: "5000"}[speed]]


def test_an_interrupt_endpoint_reports_a_button(guest: Guest) -> None:
    device = guest.plug(Loopback)
    guest.machine.start(f"{CLIENT} button")
    device.call("press", 3)  # at any time: the endpoint holds it
    assert guest.machine.finish().stdout == b"waiting\nb'\\x03'\n"


def test_a_device_vanishes_while_a_program_reads(guest: Guest) -> None:
    device = guest.plug(Loopback)
    device.fault("unplug", BULK_IN)
    assert run(guest, "echo") == ["19"]
    guest.machine.wait_for_usb(0)
    assert device.is_gone


def test_a_slow_device_answers_in_the_end(guest: Guest) -> None:
    device = guest.plug(Loopback)
    device.fault("slow", BULK_IN, seconds=0.5)
    device.fault("slow", BULK_OUT, seconds=0.5)
    assert run(guest, "echo") == ["b'hello'"]


def test_one_program_at_a_time_claims_an_interface(guest: Guest) -> None:
    guest.plug(Loopback)
    script = f"""
        mkfifo /run/hold; {CLIENT} hold </run/hold >/run/held & exec 4>/run/hold
        while [ ! -s /run/held ]; do sleep 0.1; done
        {CLIENT} echo
        echo >&4; exec 4>&-; wait; {CLIENT} echo; rm /run/hold"""
    assert guest.machine.check(script).splitlines() == ["failed 16", "b'hello'"]


def test_a_killed_program_leaves_nothing_behind(guest: Guest) -> None:
    guest.plug(Loopback)
    script = f"""
        {CLIENT} pending >/run/pending & pid=$!
        while [ ! -s /run/pending ]; do sleep 0.1; done
        kill -9 $pid; wait $pid; {CLIENT} echo"""
    assert guest.machine.check(script).splitlines() == ["b'hello'"]
