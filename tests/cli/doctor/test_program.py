"""pysane doctor as a program: levels, exit statuses, JSON, what is hidden, hanging checks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.cli.doctor.checks import Check, run
from sane.cli.doctor.finding import FAULT, OK, UNKNOWN, WARNING, Finding
from sane.cli.doctor.machine import Account, Machine
from sane.cli.doctor.private import HOST, SERIAL, Private
from sane.cli.doctor.program import CHECKS
from sane.cli.doctor.repair import repair
from sane.cli.doctor.report import AREAS, as_json, lines, summary
from sane.testing.usb import UsbDevice
from sane.testing.usb.hosted import Umockdev
from tests import ROOT, TREE
from tests.support.doctor import Place, is_sentence
from tests.support.pysane import assert_valid

# Checks


def test_a_check_that_hangs_costs_itself_only(tmp_path: Path) -> None:
    release, left = threading.Event(), threading.Event()

    def hang(machine: Machine) -> Iterator[Finding]:
        yield Finding(OK, "It has begun.")
        release.wait(20)
        left.set()
        yield Finding(FAULT, "Too late.")

    def work(machine: Machine) -> Iterator[Finding]:
        yield Finding(OK, "All is well.")

    checks = [Check("usb.slow", "a slow thing", hang, 0.1), Check("usb.quick", "another", work)]
    found = run(checks, Place(tmp_path).machine())
    release.set()
    assert left.wait(20)
    assert [(one.id, one.level, one.text) for one in found] == [
        ("usb.slow", OK, "It has begun."),
        ("usb.slow", UNKNOWN, "This check did not end within 0.1 s (a slow thing)."),
        ("usb.quick", OK, "All is well."),
    ]


@pytest.mark.parametrize(
    ("exc", "text"),
    [
        (ValueError("bad number"), "ValueError: bad number"),
        (PermissionError(13, "Permission denied", "/etc/x"), "/etc/x: Permission denied"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_a_check_that_raises_is_unknown_with_its_reason(
    tmp_path: Path, exc: Exception, text: str
) -> None:
    def fail(machine: Machine) -> Iterator[Finding]:
        yield Finding(OK, "It has begun.")
        raise exc

    _, found = run([Check("usb.broken", "a thing", fail)], Place(tmp_path).machine())
    assert found.level == UNKNOWN
    assert found.text.startswith(f"This could not be checked (a thing): {text}")
    assert is_sentence(found.text)


def test_checks_have_ids_of_areas_each_once() -> None:
    ids = [check.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert {check.area for check in CHECKS} | {"device"} == set(AREAS)


def test_what_a_device_says_of_itself_is_one_line_without_control_characters() -> None:
    finding = Finding(OK, "Acme\x1b[31m\nOne is off..", "ls 'a\nb'")
    assert finding.text == "Acme?[31m One is off."
    assert finding.command == "ls 'a b'"


# Hiding


def test_the_same_thing_is_hidden_by_the_same_word() -> None:
    private = Private(home="/users/anna")
    private.note(SERIAL, "ABC123", "X")
    private.note(HOST, "server.local", "127.0.0.1", "localhost")
    shown = private.shown
    assert shown("ABC123 of server.local, and ABC123.") == "SERIAL-1 of HOST-1, and SERIAL-1."
    assert shown("192.0.2.7 port 80, 192.0.2.70: 192.0.2.7.") == (
        "ADDRESS-1 port 80, ADDRESS-2: ADDRESS-1."
    )
    assert shown("at fe80::1%eth0 and [2001:db8::9]:80") == "at ADDRESS-3 and [ADDRESS-4]:80"
    assert shown("00:11:22:aa:BB:cc") == "ADDRESS-5"
    assert shown("4509a320-00a0-008f-00b6-002507510eca") == "SERIAL-2"
    assert shown("echo a > /users/anna/.config/x; ls /users/annabel") == (
        "echo a > ~/.config/x; ls /users/annabel"
    )


@pytest.mark.parametrize(
    "text",
    [
        "libusb:001:004",
        "127.0.0.1 port 80",
        "::1",
        "version 1.2.1",
        "12:34:56",
        "04b8:011e",
        "X marks the place",
        "escl:http://localhost",
        "saned.conf:3: ABC1234",
        "9.9.9.999",
    ],
)
def test_what_tells_nothing_is_shown(text: str) -> None:
    private = Private(home="/users/anna")
    private.note(SERIAL, "ABC123", "X")
    assert private.shown(text) == text


def test_versions_of_four_numbers_are_no_addresses() -> None:
    private = Private()
    private.keep("4.6.0.66")
    assert private.shown("opencv 4.6.0.66 at 4.6.0.67") == "opencv 4.6.0.66 at ADDRESS-1"


def test_nothing_is_hidden_without_a_mask() -> None:
    private = Private(hides=False, home="/users/anna")
    private.note(SERIAL, "ABC123")
    assert private.shown("ABC123 at 192.0.2.7") == "ABC123 at 192.0.2.7"


# The report


def findings() -> list[Finding]:
    found = [
        Finding(OK, "All is well.", "ls", id="usb.bus"),
        Finding(FAULT, "192.0.2.7 is off.", "ssh 192.0.2.7", id="network.host"),
        Finding(WARNING, "It is old.", "sudo apt install x", id="helpers.x"),
    ]
    return found


def test_the_report_for_people() -> None:
    assert list(lines(findings(), Private())) == [
        "USB",
        "  ok       All is well.",
        "",
        "Network",
        "  fault    ADDRESS-1 is off.",
        "           $ ssh ADDRESS-1",
        "",
        "Helper programs and packages",
        "  warning  It is old.",
        "           $ sudo apt install x",
        "",
        "1 fault, 1 warning; begin with network.host.",
        "For a bug report, attach the output of: pysane doctor --json (addresses and the like are "
        "hidden, --no-mask shows them)",
    ]


def test_a_terminal_gets_lines_that_fit() -> None:
    text = "A sentence that is too long for the width of the terminal is broken between words."
    command = "a command that is longer than the line, and stays whole"
    found = list(lines([Finding(WARNING, text, command, id="usb.x")], Private(), 50))
    assert found[1:4] == [
        "  warning  A sentence that is too long for the",
        "           width of the terminal is broken between",
        "           words.",
    ]
    assert found[4] == f"           $ {command}"
    assert max(map(len, found[:4] + found[5:])) <= 50


def test_what_there_was_nothing_to_check_of_is_in_json_only() -> None:
    found = [Finding(OK, "There is none.", id="usb.x", is_idle=True)]
    assert "USB" not in list(lines(found, Private()))
    assert [one["id"] for one in as_json(found, Private())["checks"]] == ["usb.x"]


def test_the_report_in_json() -> None:
    told = as_json(findings(), Private())
    assert told["masked"] is True
    assert told["counts"] == {"fault": 1, "warning": 1, "unknown": 0, "ok": 1}
    assert told["checks"][1:] == [
        {
            "id": "network.host",
            "status": "fault",
            "device": None,
            "text": "ADDRESS-1 is off.",
            "command": "ssh ADDRESS-1",
            "needs_root": False,
        },
        {
            "id": "helpers.x",
            "status": "warning",
            "device": None,
            "text": "It is old.",
            "command": "sudo apt install x",
            "needs_root": True,
        },
    ]


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        ([OK], "No faults."),
        ([WARNING, UNKNOWN], "No faults, but 1 warning and 1 check without a result."),
        ([WARNING, WARNING], "No faults, but 2 warnings."),
        ([FAULT, FAULT], "2 faults; begin with usb.x."),
    ],
)
def test_the_summary(levels: list[str], text: str) -> None:
    assert summary([Finding(level, "x", id="usb.x") for level in levels]) == text


def test_the_summary_when_only_the_symptom_is_known() -> None:
    found = [Finding(FAULT, "No scanner is found.", id="device.list")]
    assert summary(found) == "1 fault; no scanner is found."


def test_the_block_of_a_repair_is_for_a_shell() -> None:
    said = list(repair(findings()))
    assert said[2:] == [
        "# network.host: 192.0.2.7 is off.",
        "ssh 192.0.2.7",
        "# helpers.x: It is old.",
        "sudo apt install x",
    ]
    assert list(repair([Finding(OK, "All is well.", "ls", id="usb.bus")])) == [
        "There is nothing to repair."
    ]


# The program

ENVIRONMENT = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(TREE)}


def doctor(config: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program on this machine, with the configuration in *config*."""
    return subprocess.run(
        [sys.executable, "-m", "sane.cli.doctor", *arguments],
        env={**ENVIRONMENT, **variables, "SANE_CONFIG_DIR": str(config)},
        cwd=config,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_whole_program_on_the_test_backend(config_dir: Path) -> None:
    done = doctor(config_dir, "--json", "--scan")
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert_valid(told)
    ids = {one["id"] for one in told["checks"]}
    assert {check.id for check in CHECKS} - ids <= {"usb.holder", "network.interfaces"}
    assert {"device.list", "device.open", "device.options", "device.read"} <= ids
    assert {one["status"] for one in told["checks"]} <= {OK, WARNING, FAULT, UNKNOWN}
    assert all(is_sentence(one["text"]) for one in told["checks"]), told["checks"]
    assert not any("could not be checked" in one["text"] for one in told["checks"]), told
    of_test = {one["device"]: one for one in told["checks"] if one["id"] == "device.read"}
    assert of_test["test:0"]["status"] == OK
    assert done.returncode == (1 if told["counts"][FAULT] else 0)


MAN_PAGE = (ROOT / "docs" / "man" / "pysane-doctor.1").read_text()


def examples() -> list[str]:
    """Return the commands in the manual page."""
    text = MAN_PAGE.partition(".SH EXAMPLES\n.nf\n")[2].partition(".fi")[0]
    return text.splitlines()


@pytest.mark.parametrize("example", examples())
def test_the_examples_of_the_manual_page(config_dir: Path, tmp_path: Path, example: str) -> None:
    """Each is run in a shell, on the test backend."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "pysane"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sane.cli.pysane "$@"\n')
    program.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    path = f"{folder}:/usr/bin:/bin"
    done = subprocess.run(
        example,
        shell=True,
        cwd=home,
        env={**ENVIRONMENT, "HOME": str(home), "PATH": path, "SANE_CONFIG_DIR": str(config_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    report = home / "report.json"
    said = report.read_text() if report.exists() else done.stdout
    assert ("test:0: a line of" in said) == ("--scan" in example)
    assert "test:0 can be opened" in said


def test_the_manual_page_has_every_check() -> None:
    plain = MAN_PAGE.replace("\\", "")
    missing = [check.id for check in CHECKS if check.id not in plain and check.area != "helpers"]
    assert missing == []


def test_ctrl_c_ends_it(config_dir: Path) -> None:
    """A backend hangs; the program ends at once, as shells expect it."""
    (config_dir / "dll.conf").write_text("hanging\n")
    text = "from pathlib import Path\nimport time\nPath('begun').write_text('')\ntime.sleep(60)\n"
    (config_dir / "hanging.py").write_text(text)
    child = subprocess.Popen(
        [sys.executable, "-m", "sane.cli.doctor"],
        env={
            **ENVIRONMENT,
            "SANE_CONFIG_DIR": str(config_dir),
            "PYSANE_BACKEND_PATH": str(config_dir),
        },
        cwd=config_dir,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not (config_dir / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=30) == (b"", b"")
    assert child.returncode == 130


def test_on_an_emulated_bus(usb_bus: Umockdev, config_dir: Path) -> None:
    """The whole program sees what libusb programs see."""
    name = usb_bus.plug(UsbDevice, vendor=0x04B8, product=0x0101, strings=("EPSON", "Scanner")).name
    (config_dir / "dll.conf").write_text("#epson2\n")
    done = doctor(config_dir, "--json", **usb_bus.environment)
    told = {one["id"]: one for one in json.loads(done.stdout)["checks"]}
    assert told["usb.bus"]["text"] == "1 scanner is on the USB."
    assert told["usb.driver"]["status"] == FAULT
    assert told["usb.driver"]["device"] == name
    assert "driver epson2 would take it, but is commented out in" in told["usb.driver"]["text"]
    assert told["usb.access"]["status"] == OK
    assert done.returncode == 1


def test_it_fails_where_no_scanner_is_found(config_dir: Path) -> None:
    (config_dir / "dll.conf").write_text("epson2\n")
    (config_dir / "epson2.conf").write_text("usb 0x04b8 0xffff\n")
    done = doctor(config_dir)
    assert done.returncode == 1
    assert done.stderr == ""
    assert "  fault    No scanner is found" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("For a bug report, attach the output of: ")


def test_the_command_line(config_dir: Path) -> None:
    done = doctor(config_dir, "--help")
    assert done.returncode == 0
    for option in ("--json", "--fix", "--scan", "--no-mask"):
        assert option in done.stdout
    done = doctor(config_dir, "--jsn")
    assert (done.returncode, done.stdout) == (64, "")
    assert "unknown option --jsn; did you mean --json" in done.stderr


def test_the_account_is_that_of_this_process() -> None:
    account = Account.current()
    assert account.uid == os.geteuid()
    assert os.getegid() in account.groups


def test_help_imports_little() -> None:
    """The completion script is made from the options of all commands."""
    code = (
        "import sys\n"
        "from sane.cli.doctor.main import parser\n"
        "parser()\n"
        "print(*sorted(name for name in sys.modules if 'doctor' in name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["sane.cli.doctor", "sane.cli.doctor.main"]
