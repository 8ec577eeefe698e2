"""pysane-scan, the alias of pysane scan: its own words; signals at any moment of a scan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests import TREE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 60
CONF = "br_x 30\nbr_y 20\nresolution 100\n"

# A driver that says where it is and waits there, if the device's name says so.
DRIVER = """
import os, time
from ..backend import Backend as _Backend, Device, DeviceInfo, Parameters, errors, option

def reached(place, here):
    if place == here:
        os.write(2, b"reached\\n")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.01)

class Page(Device):
    mode = option.mode("Gray", "Color")
    quality = option.Int("Quality", default=1)

    def __init__(self, place):
        self.place = place
        self.left = 0

    @quality.changed
    def _set(self):
        reached(self.place, "set")

    def parameters(self):
        if self.place == "long":
            return Parameters(0, 10, 65501)
        return Parameters(1 if self.place == "big" else 0, 1000, 1000)

    def start(self):
        reached(self.place, "start")
        self.left = self.parameters().frame_bytes

    def read_into(self, view):
        if self.place == "read":
            os.write(2, b"reached\\n")
            self.wait(60)
        if self.place == "swallow":
            os.write(2, b"reached\\n")
            try:
                reached("", "")
                time.sleep(60)
            except BaseException:
                pass
            self.wait(60)
        n = min(len(view), self.left)
        if self.place == "short" and self.left < 500000:
            return 0
        if self.place == "jam":
            raise errors.Jammed("tray 2")
        self.left -= n
        return n

    def finish(self, aborted):
        os.write(2, b"finish\\n")

    def close(self):
        os.write(2, b"close\\n")
        if self.place == "close":
            os.write(2, b"reached\\n")
            time.sleep(1)

class Backend(_Backend):
    def list_devices(self, local_only):
        reached(os.environ.get("PYSANE_PLACE"), "list")
        return [DeviceInfo("caf\\udce9\\u00a0", "V", "M", "virtual device")]

    def open(self, name):
        reached(name, "open")
        return Page(name)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with a configuration and the driver, for files too."""
    conf = tmp_path / "sane.d"
    conf.mkdir()
    (conf / "dll.conf").write_text("test\n")
    (conf / "test.conf").write_text(CONF)
    drivers = tmp_path / "drivers"
    drivers.mkdir(mode=0o755)
    (drivers / "tstcli.py").write_text(DRIVER)
    (tmp_path / "tmp").mkdir()
    yield tmp_path
    assert not list(tmp_path.glob(".*.tmp")), "a temporary file is left"


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("SANE_")},
        "PYTHONPATH": str(TREE),
        "SANE_CONFIG_DIR": str(folder / "sane.d"),
        "PYSANE_BACKEND_PATH": str(folder / "drivers"),
        "TMPDIR": str(folder / "tmp"),
        "HOME": str(folder),
        **more,
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sane.cli.scan", *arguments]


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=SECONDS,
        check=False,
    )


# Words


@pytest.mark.parametrize(
    ("name", "options", "head"),
    [
        ("x.png", [], b"\x89PNG"),
        ("x.PNG", ["mode=Color"], b"\x89PNG"),
        ("x.pgm", [], b"P5\n118 78\n255\n"),
        ("x.ppm", ["mode=Color"], b"P6\n118 78\n255\n"),
        ("x.pnm", ["depth=16"], b"P5\n118 78\n65535\n"),
        ("x.pbm", ["depth=1"], b"P4\n118 78\n"),
        ("x.ppm", ["mode=Color", "three-pass=yes"], b"P6\n118 78\n255\n"),
    ],
)
def test_a_page_goes_into_a_file(folder: Path, name: str, options: list[str], head: bytes) -> None:
    (folder / name).write_bytes(b"before")
    done = run(folder, "-o", name, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{name}: 118 x 78 pixels\n"
    assert (folder / name).read_bytes().startswith(head)


def test_without_a_name_it_is_scan_png(folder: Path) -> None:
    for _ in range(2):
        assert run(folder, "-d", "test:0").returncode == 0
    assert (folder / "scan.png").read_bytes().startswith(b"\x89PNG")


def test_stdout_takes_pnm(folder: Path) -> None:
    done = subprocess.run(
        command("-d", "test:0", "-o", "-"),
        env=environment(folder),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"P5\n118 78\n255\n")
    assert len(done.stdout) == 14 + 118 * 78


def test_it_lists_devices_and_options(folder: Path) -> None:
    done = run(folder, "-L")
    assert done.stdout.startswith("test:0  Noname frontend-tester  virtual device\n")
    done = run(folder, "-A", "-d", "test:0", "mode=Color")
    assert "  mode = Color   (Gray, Color)\n" in done.stdout
    assert run(folder, "--help").stdout.startswith("usage: pysane scan ")


def test_a_file_is_replaced_when_the_page_is_whole(folder: Path) -> None:
    (folder / "x.png").write_text("before")
    done = run(folder, "-d", "tstcli:jam", "-o", "x.png")
    assert done.returncode == 6
    assert "tray 2" in done.stderr
    assert (folder / "x.png").read_text() == "before"


def test_a_page_that_is_cut_off_is_told(folder: Path) -> None:
    done = run(folder, "-d", "tstcli:short", "-o", "x.pgm")
    assert "page 1 is cut off: the scanner has sent " in done.stderr
    assert " of 1000 lines" in done.stderr


# Signals


def interrupted(
    folder: Path, number: int, *arguments: str, stdout: int = subprocess.PIPE, **more: str
) -> tuple[int, str]:
    """Send signal *number* when the driver says that it is there; return status and stderr."""
    with subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder, **more),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        while "reached" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(number)
        said += process.stderr.read()
        return process.wait(SECONDS), said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("place", "finishes", "closes"),
    [
        ("list", 0, 0),
        ("open", 0, 0),
        ("set", 0, 1),
        ("read", 1, 1),
        ("close", 1, 1),
    ],
)
def test_a_signal_ends_it_with_the_device_closed(
    folder: Path, number: int, place: str, finishes: int, closes: int
) -> None:
    if place == "list":
        (folder / "sane.d" / "dll.conf").write_text("tstcli\n")
        status, said = interrupted(folder, number, "-L", PYSANE_PLACE="list")
    else:
        status, said = interrupted(folder, number, "-d", f"tstcli:{place}", "quality=2")
    assert status == 128 + number
    assert "Traceback" not in said
    assert (said.count("finish\n"), said.count("close\n")) == (finishes, closes)
    assert (folder / "scan.partial.png").exists() == (place == "close")


@pytest.mark.long
def test_a_driver_that_ignores_the_cancel_is_left_to_itself(folder: Path) -> None:
    begin = time.monotonic()
    status, said = interrupted(folder, signal.SIGINT, "-d", "tstcli:start")
    assert (status, "Traceback" in said) == (130, False)
    assert time.monotonic() - begin < 45  # the driver sleeps for 60 seconds


def test_a_signal_that_is_ignored_stays_ignored(folder: Path) -> None:
    """So it is under nohup, and in the background of a script."""
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "from sane.cli.stopping import Stopping; Stopping()\n"
    code += "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    answer = subprocess.check_output([sys.executable, "-c", code], env=environment(folder))
    assert answer == b"True\n"


# What it says


def test_names_go_out_as_they_came_and_open(folder: Path) -> None:
    (folder / "sane.d" / "dll.conf").write_text("tstcli\n")
    done = run(folder, "-L")
    assert done.stdout == "tstcli:caf\udce9\u00a0  V M  virtual device\n"
    done = run(folder, "-d", "tstcli:caf\udce9\u00a0", "-o", "x.pgm")
    assert done.returncode == 0
