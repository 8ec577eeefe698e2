"""pysane doctor, USB: each cause is made in a tree of folders, or with a real process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sane.cli.doctor.finding import FAULT, OK, UNKNOWN, WARNING
from sane.cli.doctor.repair import repair
from tests import ROOT, TREE
from tests.conftest import ABSENT
from tests.fakes.usb import BULK_PAIR, descriptor_bytes, interface_bytes
from tests.support.doctor import SCANNER_GROUP, Place

NAME = "Epson GT-8300UF (04b8:011e at libusb:001:004)"
IPP = interface_bytes(0, 7, BULK_PAIR, protocol=4).replace(b"\x07\x00\x04", b"\x07\x01\x04")
VENDOR_CLASS = descriptor_bytes(0x1234, vendor=0x9999)


# The bus


def test_a_scanner_on_the_bus_is_counted(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    assert place.one("usb.bus") == (OK, "1 scanner is on the USB.", "")


def test_a_bus_without_a_scanner(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (place.root / "sys/bus/usb/devices").mkdir(parents=True)
    level, text, _ = place.one("usb.bus")
    assert level == OK
    assert text.startswith("No scanner is connected by USB, or it is switched off")


@pytest.mark.parametrize(
    ("mark", "text", "name", "command"),
    [
        ("", "", "this machine has no USB", ""),
        (".dockerenv", "", "This Docker container sees no USB", "docker run --device /dev/bus/usb"),
        ("run/.containerenv", "", "This Podman container sees no USB", "podman run --device"),
        ("run/systemd/container", "lxc\n", "This LXC container sees no USB", "lxc config device"),
    ],
)
def test_no_usb(tmp_path: Path, mark: str, text: str, name: str, command: str) -> None:
    place = Place(tmp_path)
    if mark:
        place.write(mark, text)
    level, said, repairs = place.one("usb.bus")
    assert level == WARNING
    assert name in said
    assert repairs.startswith(command)


def test_a_container_that_sees_a_scanner_and_has_no_nodes(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    shutil.rmtree(place.root / "dev")
    place.write(".dockerenv")
    level, text, command = place.one("usb.bus")
    assert level == FAULT
    assert text == (
        f"The Docker container sees {NAME}, but /dev/bus/usb is not passed through to it: "
        "no device can be opened."
    )
    assert command == "docker run --device /dev/bus/usb IMAGE"


def test_a_virtual_machine_without_a_scanner(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (place.root / "sys/bus/usb/devices").mkdir(parents=True)
    place.write("sys/class/dmi/id/sys_vendor", "innotek GmbH\n")
    level, text, _ = place.one("usb.bus")
    assert level == WARNING
    assert "virtual machine (VirtualBox)" in text
    assert "passed through" in text


# Drivers


def test_a_driver_in_use_takes_it(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    assert place.one("usb.driver") == (OK, f"{NAME}: driver epson2 takes it.", "")


def test_a_driver_that_is_commented_out(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="test\n# epson2\n")
    place.plug()
    file = place.config / "dll.conf"
    level, text, command = place.one("usb.driver")
    assert level == FAULT
    assert text == (f"{NAME}: driver epson2 would take it, but is commented out in {file}, line 2.")
    subprocess.run(command.removeprefix("sudo "), shell=True, check=True)
    assert file.read_text() == "test\nepson2\n"
    assert place.one("usb.driver")[0] == OK


def test_a_driver_that_is_not_in_dll_conf(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="test\n")
    place.plug()
    level, text, command = place.one("usb.driver")
    assert (level, text) == (FAULT, f"{NAME}: driver epson2 would take it, but is not in dll.conf.")
    subprocess.run(command.replace("sudo ", ""), shell=True, check=True, capture_output=True)
    assert place.one("usb.driver")[0] == OK


def test_a_driver_whose_file_names_other_devices(tmp_path: Path) -> None:
    place = Place(tmp_path, epson2="usb 0x04b8 0x0999\n")
    place.plug()
    level, text, command = place.one("usb.driver")
    assert level == FAULT
    assert text == (
        f"{NAME}: driver epson2 could take it, but {place.config}/epson2.conf names other "
        "devices only."
    )
    subprocess.run(command.replace("sudo ", ""), shell=True, check=True, capture_output=True)
    assert place.one("usb.driver")[0] == OK


def test_a_scanner_of_a_c_driver(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug(raw=VENDOR_CLASS)
    entry = "# Acme 9\nusb:v9999p1234*\n libsane_matched=yes\n"
    place.write("usr/lib/udev/hwdb.d/20-sane.hwdb", entry)
    level, text, command = place.one("usb.driver")
    assert level == FAULT
    assert text == (
        "Acme 9 (9999:1234 at libusb:001:004): none of PySANE's drivers takes it, but one of the "
        "C drivers of SANE, which are not installed."
    )
    assert command == "sudo apt install libsane1"
    place.write("usr/lib/sane/libsane-acme.so.1")
    assert place.one("usb.driver")[0] == OK


def test_a_device_that_nobody_knows_may_be_no_scanner(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug(raw=VENDOR_CLASS, product="Thing")
    level, text, _ = place.one("usb.driver")
    assert level == UNKNOWN
    assert text.startswith("Thing (9999:1234 at libusb:001:004): no driver knows it")
    assert "'usb 0x9999 0x1234'" in text
    assert place.one("usb.access")[0] == OK  # nobody needs access to what is no scanner


@pytest.mark.parametrize(("dll", "level"), [("escl\n", OK), ("test\n", FAULT)])
def test_a_device_for_ipp_usb(tmp_path: Path, dll: str, level: str) -> None:
    place = Place(tmp_path, dll=dll)
    place.plug(raw=descriptor_bytes(0x1234, IPP, vendor=0x9999))
    found, text, _ = place.one("usb.driver")
    assert found == level
    assert "it needs no driver but ipp-usb and escl" in text


# Access: a child without root's rights looks

DROPPED = "-dac_override,-dac_read_search"
SETPRIV = (
    *("setpriv", f"--bounding-set={DROPPED}", f"--inh-caps={DROPPED}"),
    *("--regid=1", "--clear-groups", "--"),
)
LOOK = """
import json, sys
sys.path[:0] = {path!r}
from pathlib import Path
from sane.cli.doctor.machine import Account, Machine
from sane.cli.doctor.private import Private
from sane.cli.doctor.checks import run
from sane.cli.doctor.program import CHECKS
account = Account("anna", 1000, (1000,), {listed!r}, "/nonexistent")
machine = Machine({root!r}, {variables!r}, account, private=Private(hides=False))
found = run([check for check in CHECKS if check.id == "usb.access"], machine)
print(json.dumps([[one.level, one.text, one.command, one.device] for one in found]))
"""


def access(place: Place, mode: int, listed: tuple[int, ...] = ()) -> list[str]:
    """Return what the check of access finds for a user who is not root."""
    if os.geteuid() or shutil.which("setpriv") is None:
        pytest.skip(f"{ABSENT}root with util-linux, to give the node to somebody else")
    node = place.root / "dev/bus/usb/001/004"
    os.chown(node, 0, SCANNER_GROUP)
    node.chmod(mode)
    path = [str(TREE), str(ROOT)]
    code = LOOK.format(path=path, listed=listed, root=str(place.root), variables=place.variables)
    done = subprocess.run(
        [*SETPRIV, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (finding,) = json.loads(done.stdout)
    assert finding[3] == "libusb:001:004"
    return list(finding[:3])


def test_a_node_that_the_user_may_use(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    assert place.one("usb.access")[:2] == (OK, f"{NAME}: this user may use it.")


def test_a_user_who_is_not_in_the_group(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    level, text, command = access(place, 0o060)
    assert level == FAULT
    assert f"may not write to /dev/bus/usb/001/004 (mode 0060, group {SCANNER_GROUP})" in text
    assert "is not in the group" in text
    assert command == f'sudo usermod -aG {SCANNER_GROUP} "$USER"'


def test_a_user_who_has_not_logged_in_again(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    level, text, command = access(place, 0o060, (SCANNER_GROUP,))
    assert level == FAULT
    assert text.endswith(
        f"the user was added to the group {SCANNER_GROUP}, but has not logged in again."
    )
    assert command == f"newgrp {SCANNER_GROUP}"


def test_a_node_that_no_rule_gave_away(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    level, text, command = access(place, 0o000)
    assert level == FAULT
    assert text.endswith("a udev rule for this device is missing.")
    assert 'ATTR{idVendor}=="04b8", ATTR{idProduct}=="011e"' in command
    assert "/etc/udev/rules.d/60-scanner-04b8-011e.rules" in command


def test_a_node_that_is_not_there(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug().unlink()
    level, text, _ = place.one("usb.access")
    assert level == FAULT
    assert (
        text
        == f"{NAME}: /dev/bus/usb/001/004: No such file or directory: nobody can open the device."
    )


# udev


@pytest.mark.parametrize(
    ("database", "rule", "level", "text"),
    [
        ("E:libsane_matched=yes\n", "", OK, "a udev rule knows it as a scanner."),
        ("E:OTHER=1\n", "", WARNING, "no udev rule knows it."),
        (
            "E:OTHER=1\n",
            'ATTR{idVendor}=="04b8", ATTR{idProduct}=="011E", MODE="0666"\n',
            WARNING,
            "a rule in /etc/udev/rules.d/9.rules names it, but was not applied: plug it in again.",
        ),
        (None, "", UNKNOWN, "udev's database does not have the device."),
        ("no udev", "", UNKNOWN, "udev does not run here, so no rule gives access to the device."),
    ],
)
def test_the_udev_rule(
    tmp_path: Path, database: str | None, rule: str, level: str, text: str
) -> None:
    place = Place(tmp_path)
    place.plug()
    if database != "no udev":
        place.write("run/udev/data/c1:1")
    if database and database.startswith("E:"):
        place.write("run/udev/data/c189:4", database)
    if rule:
        place.write("etc/udev/rules.d/9.rules", rule)
    assert place.one("usb.rule")[:2] == (level, f"{NAME}: {text}")


# Who has it


@contextmanager
def holding(node: Path, program: str) -> Iterator[int]:
    """Run a process of this name that holds *node* open."""
    with (
        node.open() as held,
        subprocess.Popen([program, "60"], stdin=held, stdout=subprocess.DEVNULL) as child,
    ):
        try:
            yield child.pid
        finally:
            child.kill()


def sleeper(tmp_path: Path, name: str) -> str:
    """Return a program that is called *name* in a list of processes, and sleeps."""
    path = tmp_path / name
    shutil.copy("/bin/sleep", path)
    return str(path)


def test_a_program_that_holds_it_is_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    node = place.plug()
    with holding(node, sleeper(tmp_path, "xsane")) as pid:
        assert place.one("usb.holder") == (
            FAULT,
            f"{NAME}: in use by xsane (pid {pid}): end it to scan with another program.",
            f"kill {pid}",
        )
    assert place.one("usb.holder") == (OK, f"{NAME}: no other program has it open.", "")


def test_ipp_usb_that_holds_it(tmp_path: Path) -> None:
    place = Place(tmp_path)
    node = place.plug()
    with holding(node, sleeper(tmp_path, "ipp-usb")) as pid:
        (finding,) = place.found("usb.holder")
    assert (finding.id, finding.level) == ("usb.ipp-usb", WARNING)
    assert f"ipp-usb (pid {pid}) has it; the driver epson2 cannot open it" in finding.text
    assert finding.command == "sudo systemctl disable --now ipp-usb"


def test_ipp_usb_that_does_not_run(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug(raw=descriptor_bytes(0x1234, IPP, vendor=0x9999))
    (finding,) = place.found("usb.holder")
    assert (finding.id, finding.level) == ("usb.ipp-usb", FAULT)
    assert "ipp-usb does not run" in finding.text
    assert finding.command == "sudo apt install ipp-usb"
    place.claim("usbfs")
    (finding,) = place.found("usb.holder")
    assert (finding.id, finding.level) == ("usb.ipp-usb", OK)


@pytest.mark.parametrize(
    ("driver", "level", "text"),
    [
        ("usbfs", FAULT, "in use by a program of another user; only root can see which."),
        ("usblp", OK, "the kernel's driver usblp has it, and is detached while scanning."),
    ],
)
def test_a_claimed_interface(tmp_path: Path, driver: str, level: str, text: str) -> None:
    place = Place(tmp_path)
    place.plug()
    place.claim(driver)
    assert place.one("usb.holder")[:2] == (level, f"{NAME}: {text}")


def test_autosuspend(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plug()
    assert place.one("usb.autosuspend")[0] == OK
    control = place.root / "sys/bus/usb/devices/1-4/power/control"
    control.write_text("auto\n")
    level, text, command = place.one("usb.autosuspend")
    assert level == WARNING
    assert text.startswith(f"{NAME}: the kernel puts it to sleep when it is idle (autosuspend)")
    subprocess.run(command.replace("sudo ", ""), shell=True, check=True, capture_output=True)
    assert place.one("usb.autosuspend")[0] == OK


# --fix


def test_fix_writes_the_users_dll_conf(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="test\nnet\n")
    place.plug()
    (finding,) = place.found("usb.driver")
    said = list(repair([finding]))
    written = place.home / ".config/pysane/sane.d/dll.conf"
    assert said[0] == f"Written: {written}"
    assert written.read_text() == "test\nnet\nepson2\n"
    assert said[-1] == f"export SANE_CONFIG_DIR={written.parent}:"
    place.variables["SANE_CONFIG_DIR"] = f"{written.parent}:"
    assert place.one("usb.driver")[0] == OK
    again = list(repair([finding]))
    assert again[0] == f"Not written: {written}: it is there already"
    assert again[-1] == finding.command
