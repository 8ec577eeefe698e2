"""pysane-scan: files, full disks, closed pipes, signals, and what it says."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sane.cli.output import Output, Unwritable
from tests.conftest import ROOT, TREE

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    assert not list(tmp_path.glob(".pysane-scan-*")), "a temporary file is left"


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("SANE_")},
        "PYTHONPATH": str(TREE),
        "SANE_CONFIG_DIR": str(folder / "sane.d"),
        "PYSANE_BACKEND_PATH": str(folder / "drivers"),
        "TMPDIR": str(folder / "tmp"),
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


def kept(folder: Path) -> list[Path]:
    return list((folder / "tmp").iterdir())


# Files


@pytest.mark.parametrize(
    ("name", "options", "head"),
    [
        ("x.png", [], b"\x89PNG"),
        ("x.PNG", ["mode=Color"], b"\x89PNG"),
        ("x.pgm", [], b"P5\n118 78\n255\n"),
        ("x.ppm", ["mode=Color"], b"P6\n118 78\n255\n"),
        ("x.pnm", ["depth=16"], b"P5\n118 78\n65535\n"),
        ("x.pbm", ["depth=1"], b"P4\n118 78\n"),
        ("x.ppm", ["mode=Color", "depth=1"], b"P6\n118 78\n255\n"),
    ],
)
def test_a_page_goes_into_a_file(folder: Path, name: str, options: list[str], head: bytes) -> None:
    done = run(folder, "-o", name, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{name}: 118 x 78 pixels\n"
    assert (folder / name).read_bytes().startswith(head)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("missing/x.png", "missing/x.png: No such file or directory"),
        ("x.gif", "x.gif: the name must end in one of .png .pnm"),
        ("x", "x: the name must end in"),
        ("x.png.", "x.png.: the name must end in"),
        ("sane.d", "sane.d: is a directory"),
        ("folder.png", "folder.png: is a directory"),
        ("file.png/x.png", "file.png/x.png: Not a directory"),
        ("", ": the name must end in"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_scan(
    folder: Path, name: str, text: str
) -> None:
    (folder / "folder.png").mkdir()
    (folder / "file.png").touch()
    done = run(folder, "-d", "tstcli:x", "-o", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"pysane-scan: {text}")
    assert "finish" not in done.stderr
    assert done.stderr.count("\n") == 1


def ordinary() -> list[str]:
    """Return what starts a program for which permissions count, as they do not for root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing: root may write everywhere")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def test_what_is_not_ours_is_refused_before_the_scan(folder: Path) -> None:
    """A file of ours in a folder of somebody else's can be written all the same."""
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name)
        (closed / "ours.png").write_bytes(b"x" * 100_000)
        (closed / "theirs.png").touch(0o444)
        (closed / "dll.conf").write_text("test\n")
        closed.chmod(0o555)
        variables = environment(folder, SANE_CONFIG_DIR=name, TMPDIR="/nonexistent")
        outcomes = {}
        for file in ("new.png", "theirs.png", "ours.png"):
            done = subprocess.run(
                [*ordinary(), *command("-d", "test:0", "-o", f"{name}/{file}")],
                env=variables,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            outcomes[file] = done.returncode, done.stderr
        closed.chmod(0o755)
        denied = "pysane-scan: {}/{}: Permission denied\n"
        assert outcomes == {
            "new.png": (1, denied.format(name, "new.png")),
            "theirs.png": (1, denied.format(name, "theirs.png")),
            "ours.png": (0, ""),
        }
        page = (closed / "ours.png").read_bytes()
        assert page.startswith(b"\x89PNG")
        assert page.endswith(b"IEND\xaeB`\x82")


def test_a_file_is_replaced_when_the_page_is_whole(folder: Path) -> None:
    target = folder / "x.png"
    target.write_text("before")
    target.chmod(0o640)
    done = run(folder, "-d", "tstcli:jam", "-o", "x.png")
    assert done.returncode == 1
    assert "tray 2" in done.stderr
    assert target.read_text() == "before"
    link = folder / "link.png"
    link.symlink_to("x.png")
    assert run(folder, "-o", "link.png").returncode == 0
    assert link.is_symlink()
    assert target.read_bytes().startswith(b"\x89PNG")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_that_the_umask_leaves(folder: Path) -> None:
    before = os.umask(0o027)
    try:
        assert run(folder, "-o", "x.png").returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "x.png").stat().st_mode) == 0o640


def test_a_page_that_fills_the_disk_is_kept(folder: Path) -> None:
    done = run(folder, "-o", "/dev/full")
    assert (done.returncode, done.stdout) == (1, "")
    (page,) = kept(folder)
    assert done.stderr == (
        f"pysane-scan: /dev/full: No space left on device; the page is kept in {page}\n"
    )
    assert page.read_bytes().startswith(b"P5\n118 78\n255\n")


def test_a_file_that_fills_the_disk_is_kept_elsewhere(folder: Path) -> None:
    """A limit on the size of files stands for a full disk."""
    (folder / "x.png").write_text("before")
    code = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
    code += "from sane.cli.scan import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "-d", "tstcli:big", "-o", "x.png"],
        cwd=folder,
        env=environment(folder, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "x.png: File too large; the page is lost" in done.stderr
    assert not kept(folder)
    assert (folder / "x.png").read_text() == "before"


def test_stdout_takes_a_page(folder: Path) -> None:
    done = subprocess.run(
        command("-o", "-"),
        env=environment(folder),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"P5\n118 78\n255\n")
    assert len(done.stdout) == 14 + 118 * 78
    assert done.stderr == b"stdout: 118 x 78 pixels\n"


def test_a_full_stdout_is_told(folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        for arguments, text in (
            (["-o", "-"], "stdout: No space left on device; the page is kept in"),
            (["-L"], "stdout: No space left on device"),
            (["-A"], "stdout: No space left on device"),
            (["-o", "x.png"], "stdout: No space left on device"),
        ):
            done = subprocess.run(
                command(*arguments),
                cwd=folder,
                env=environment(folder),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            assert done.returncode == 1
            assert done.stderr.startswith(f"pysane-scan: {text}")
            assert done.stderr.count("\n") == 1
    assert (folder / "x.png").exists()
    assert len(kept(folder)) == 1


@pytest.mark.parametrize("arguments", [["-L"], ["-A"], ["-d", "tstcli:big", "-o", "-"]])
def test_a_closed_pipe_ends_it_in_silence(folder: Path, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE
    assert done.stderr.replace("finish\n", "").replace("close\n", "") == ""
    assert not kept(folder)


def test_a_closed_stdout_does_not_matter_for_a_file(folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command("-o", "x.png")],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_that_is_cut_off_is_told(folder: Path) -> None:
    done = run(folder, "-d", "tstcli:short", "-o", "x.pgm")
    assert "x.pgm: cut off: the scanner has sent " in done.stderr
    assert " of 1000 lines" in done.stderr


def test_a_page_of_three_frames_is_one(folder: Path) -> None:
    pages = []
    for passes in ("yes", "no"):
        done = run(folder, "-o", "x.ppm", "mode=Color", f"three-pass={passes}")
        assert (done.returncode, done.stderr) == (0, "")
        pages.append((folder / "x.ppm").read_bytes())
    assert pages[0] == pages[1]
    assert pages[0].startswith(b"P6\n118 78\n255\n")


def test_the_resolution_stands_in_the_file(folder: Path) -> None:
    assert run(folder, "-o", "x.png", "resolution=100").returncode == 0
    assert b"pHYs" + (3937).to_bytes(4, "big") * 2 in (folder / "x.png").read_bytes()


def test_a_page_as_jpeg(folder: Path) -> None:
    pytest.importorskip("sane.image.jpeg_encoder", reason="this tree is not compiled")
    for name in ("x.jpg", "x.JPEG"):
        done = run(folder, "-o", name, "mode=Color", "resolution=100")
        assert (done.returncode, done.stderr) == (0, "")
        data = (folder / name).read_bytes()
        assert data.startswith(b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\x01\0\x64\0\x64")


def test_a_page_that_no_jpeg_can_hold_is_kept(folder: Path) -> None:
    pytest.importorskip("sane.image.jpeg_encoder", reason="this tree is not compiled")
    done = run(folder, "-d", "tstcli:long", "-o", "x.jpg")
    assert done.returncode == 1
    (page,) = kept(folder)
    assert f"at most 65500 a side; the page is kept in {page}" in done.stderr
    assert page.read_bytes().startswith(b"\x89PNG")
    assert not (folder / "x.jpg").exists()


@pytest.mark.skipif(TREE != ROOT, reason="this tree is compiled")
def test_a_jpeg_that_cannot_be_made_is_refused_before_the_scan(folder: Path) -> None:
    done = run(folder, "-d", "tstcli:x", "-o", "x.jpg")
    assert done.returncode == 1
    assert done.stderr.startswith("pysane-scan: x.jpg: this PySANE makes no jpeg")


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
        ("start", 1, 1),
        ("read", 1, 1),
        ("swallow", 1, 1),
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
    assert (folder / "scan.png").exists() == (place == "close")


def test_a_signal_ends_it_while_nobody_takes_the_page(folder: Path) -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(
        command("-d", "tstcli:big", "-o", "-"),
        env=environment(folder),
        stdout=writer,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(writer)
        assert os.read(reader, 2) == b"P6"
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 128 + signal.SIGINT
    os.close(reader)
    assert not kept(folder)


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
    assert done.stdout == "tstcli:caf\udce9\u00a0: V M virtual device\n"
    done = run(folder, "-d", "tstcli:caf\udce9\u00a0", "-o", "x.pgm")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("mode=Purple", "option mode: 'Purple' is not in ('Gray', 'Color')"),
        ("nothing=1", "this scanner has no option 'nothing'; -A shows those it has"),
        ("depth=eight", "depth: 'eight' is not number"),
        ("scan=1", "this scanner has no option 'scan'"),
    ],
)
def test_a_wrong_option_is_told(folder: Path, setting: str, text: str) -> None:
    done = run(folder, setting)
    assert done.returncode == 1
    assert text in done.stderr
    assert not (folder / "scan.png").exists()


# Stdout


def test_a_terminal_gets_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda fd: True)
    with pytest.raises(Unwritable, match="terminal"):
        Output("-")
