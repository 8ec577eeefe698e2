"""Our scanimage where the original goes wrong (C1 to C17 of docs/scanimage.md), and when it ends.

Files that were there, full disks, pages that fail, signals: compared with what is right.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.peers.frontends import (
    EXITS,
    EXITS_OF_THE_ORIGINALS,
    SLOW,
    TIMEOUT,
    check_stopped,
    configure,
    environment,
)
from tests.peers.scanimage_pair import OWN, Pair, comparable
from tests.peers.walk_scanimage import ADF

SMALL = ("-d", "test", "--resolution=20")
PATTERN = "--test-picture=Color pattern"
COLOR = "--mode=Color"
EXTRA = "--enable-test-options=yes"
ENDLESS_FEEDER = f"--source={ADF}"


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "run", configure(tmp_path / "sane.d"))


# -- What the original does wrong ----------------------------------------------------------------


def test_own_scanimage_sets_vectors_of_lengths(pair: Pair) -> None:
    """C1: the unit of millimetres is refused for vectors."""
    words = ("-d", "test", "-n", EXTRA)
    for value in ("1,2,3", "1cm,2in-[4]3mm", "4mm"):
        assert pair.ours(*words, f"--int-constraint-array={value}").status == 0
    refused = pair.ours(*words, "--int-constraint-array=1dpi,2")
    assert refused.status == 1
    assert "illegal unit (rest of option: dpi,2)" in refused.stderr


def test_own_scanimage_keeps_numbers_within_a_word(pair: Pair) -> None:
    """C2: they wrap around."""
    words = ("-d", "test", "-n", EXTRA, "--fixed=40000", "--int=-3000000000")
    assert pair.ours(*words).stderr.endswith(
        ": rounded value of fixed from 40000 to 32768\n"
        f"{OWN.name}: rounded value of int from -3000000000 to -2147483648\n"
    )


def test_own_scanimage_keeps_an_earlier_file_when_the_scan_fails(
    pair: Pair, tmp_path: Path
) -> None:
    """C3: it is lost."""
    page = tmp_path / "page.pnm"
    page.write_bytes(b"earlier")
    page.chmod(0o640)
    failing = (*SMALL, "-o", str(page), "--read-return-value=SANE_STATUS_JAMMED")
    assert pair.ours(*failing).status == 6
    assert page.read_bytes() == b"earlier"
    assert pair.ours(*SMALL, "-o", str(page)).status == 0
    assert page.read_bytes().startswith(b"P5")
    assert page.stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"page.pnm", "run", "sane.d"}


@pytest.mark.parametrize("pattern", ["%s", "%d-%d", "%ld", "%", "x%5", "%n", "%*d", "%c"])
def test_own_scanimage_refuses_names_that_are_none(pair: Pair, pattern: str) -> None:
    """C4: they crash it or print memory."""
    done = pair.ours(*SMALL, f"--batch={pattern}", "--batch-count=1")
    assert done.status == 1
    assert f"--batch={pattern}: " in done.stderr
    assert done.files == {}


def test_own_scanimage_warns_of_names_without_a_number(pair: Pair) -> None:
    done = pair.ours(*SMALL, "--batch=page.pnm", "--batch-count=2")
    assert list(done.files) == ["page.pnm"]
    assert "--batch=page.pnm: no number" in done.stderr


def pages(pair: Pair, *arguments: str) -> list[bytes]:
    """Return the samples of a page, as PNM, and as Pillow reads the other formats."""
    from PIL import Image

    found = []
    for name in ("page.pnm", "page.png", "page.tif"):
        done = pair.ours(*SMALL, PATTERN, "-o", name, *arguments)
        assert done.status == 0, done.stderr
        with Image.open(pair.folder / "own" / name) as image:
            found.append(image.convert("RGB").tobytes())
    return found


UNUSUAL = (
    ["--hand-scanner=yes"],  # C5
    [COLOR, "--hand-scanner=yes"],
    [COLOR, "--three-pass=yes"],  # C6
    [COLOR, "--three-pass=yes", "--three-pass-order=BGR", "--hand-scanner=yes"],
    [COLOR, "--three-pass=yes", "--depth=1"],
    [COLOR, "--depth=1"],  # C8
    ["--ppl-loss=7"],  # C9
    [COLOR, "--ppl-loss=7", "--depth=8"],
)


@pytest.mark.parametrize("arguments", UNUSUAL, ids=" ".join)
def test_own_scanimage_writes_unusual_pages_in_all_formats(
    pair: Pair, arguments: list[str]
) -> None:
    first, *others = pages(pair, *arguments)
    assert all(other == first for other in others)
    for name in ("page.jpg", "page.pdf"):
        assert pair.ours(*SMALL, "-o", name, *arguments).status == 0


def test_own_scanimage_merges_three_passes(pair: Pair) -> None:
    """The same picture as in one pass, whatever the depth."""
    for depth in ("8", "16"):
        words = (*SMALL, PATTERN, COLOR, f"--depth={depth}")
        assert pair.ours(*words, "--three-pass=yes").stdout == pair.ours(*words).stdout


@pytest.mark.parametrize("format_", ["jpeg", "pdf"])
def test_own_scanimage_takes_the_high_bytes_of_16_bits(pair: Pair, format_: str) -> None:
    """C7: bytes are taken for samples."""
    words = (*SMALL, "--test-picture=Grid", f"--format={format_}")
    deep, usual = (pair.ours(*words, f"--depth={depth}") for depth in (16, 8))
    assert comparable(deep).stdout == comparable(usual).stdout


@pytest.mark.parametrize("arguments", [[], [COLOR], [COLOR, "--batch=%d.pdf"]], ids=" ".join)
def test_own_scanimage_writes_pdf_that_programs_can_read(pair: Pair, arguments: list[str]) -> None:
    """C10: all offsets and lengths are 0."""
    import pikepdf

    words = (*SMALL, PATTERN, "--format=pdf", *arguments)
    batch = [ENDLESS_FEEDER] if "--batch=%d.pdf" in arguments else []
    done = pair.ours(*words, *batch)
    path = pair.folder / "page.pdf"
    path.write_bytes(done.files["1.pdf"] if batch else done.stdout)
    with pikepdf.open(path) as document:
        assert document.check_pdf_syntax() == []
        assert len(document.pages) == (10 if batch else 1)
        for page in document.pages:
            (image,) = page.Resources.XObject.values()
            shown = pikepdf.PdfImage(image).as_pil_image()
            assert shown.mode == ("RGB" if COLOR in arguments else "L")
            assert [int(side) for side in page.mediabox] == [
                0,
                0,
                *(int(side * 72 / 20) for side in shown.size),
            ]


def test_own_scanimage_tells_of_a_full_disk(pair: Pair) -> None:
    """C11: exit status 0."""
    done = pair.ours(*SMALL, "--format=pnm", "-o", "/dev/full")
    assert done.status == 10
    assert done.stderr == f"{OWN.name}: write error: No space left on device\n"


def test_own_scanimage_tells_of_a_full_disk_for_a_list(pair: Pair) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [OWN, "-L"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(pair.config, None),
            check=False,
        )
    assert done.returncode == 10
    assert done.stderr.decode() == f"{OWN.name}: write error: No space left on device\n"


def test_own_scanimage_leaves_no_part_of_a_batch_behind_on_a_full_disk(
    pair: Pair, tmp_path: Path
) -> None:
    (tmp_path / "page1.part").symlink_to("/dev/full")
    done = pair.ours(*SMALL, f"--batch={tmp_path}/page%d", "--batch-count=2")
    assert done.status == 10
    assert not (tmp_path / "page1.part").is_symlink()


@pytest.mark.parametrize("where", [[], ["-o", "page.png"], ["--batch=page%d.png"]], ids=" ".join)
def test_own_scanimage_tells_that_no_data_came(pair: Pair, where: list[str]) -> None:
    """C12: a header without rows, or a crash."""
    done = pair.ours(*SMALL, "--read-return-value=SANE_STATUS_EOF", *where)
    assert done.status == 9
    assert f"{OWN.name}: the scanner has sent no data\n" in done.stderr
    assert done.files == {}


# Its third sheet jams in the middle; its rows are fewer than it says, if it is called so.
JAMMING = """
from ..backend import Backend as _Backend, Device, DeviceInfo, Parameters, errors

class Jamming(Device):
    sheets = 0

    def __init__(self, name):
        self.is_short = name == "short"

    def parameters(self):
        return Parameters(0, 40, 30)

    def start(self):
        self.sheets += 1
        self.left = 1200

    def read_into(self, view):
        if self.left < 1200 and self.sheets == 3:
            raise errors.Jammed("sheet 3")
        if self.left < 1200 and self.is_short:
            return 0
        n = min(len(view), self.left, 600)
        view[:n] = b"x" * n
        self.left -= n
        return n

    def finish(self, aborted):
        pass

class Backend(_Backend):
    name = "jamming"

    def list_devices(self, local_only):
        return [DeviceInfo("0", "a", "b", "c")]

    def open_device(self, name):
        return Jamming(name)
"""


@pytest.fixture
def jamming(pair: Pair, tmp_path: Path) -> dict[str, str]:
    """Return the environment in which there is a backend "jamming"."""
    folder = tmp_path / "drivers"
    folder.mkdir(mode=0o755)
    (folder / "jamming.py").write_text(JAMMING)
    (folder / "jamming.py").chmod(0o644)
    (pair.config / "dll.conf").write_text("jamming\n")
    return {"PYSANE_BACKEND_PATH": str(folder)}


def test_own_scanimage_keeps_the_pages_before_one_that_failed(
    pair: Pair, jamming: dict[str, str]
) -> None:
    import pikepdf

    done = pair.ours("--batch", "--format=png", environ=jamming)
    assert (done.status, list(done.files)) == (6, ["out1.png", "out2.png"])
    done = pair.ours("--batch", "--format=pdf", environ=jamming)
    assert (done.status, list(done.files)) == (6, ["out1.pdf"])
    with pikepdf.open(pair.folder / "own" / "out1.pdf") as document:
        assert document.check_pdf_syntax() == []
        assert len(document.pages) == 2


def test_own_scanimage_completes_a_page_that_is_too_short(
    pair: Pair, jamming: dict[str, str]
) -> None:
    done = pair.ours("-d", "jamming:short", "--format=pnm", environ=jamming)
    assert done.status == 0
    assert done.stdout.endswith(b"x" * 600 + b"\xff" * 600)
    assert "the scanner has sent 15 lines too few; the rest is white" in done.stderr


SIZES = ("-B0", "-Bx", "-B-1", "--buffer-size=x", "--buffer-size=4194304", "--batch-count=two")


@pytest.mark.parametrize("word", SIZES)
def test_own_scanimage_refuses_numbers_that_are_none(pair: Pair, word: str) -> None:
    """C13, C16: it scans nothing, or for ever."""
    done = pair.ours(*SMALL, word)
    assert done.status == 1
    assert f"{OWN.name}: option --" in done.stderr


def test_own_scanimage_scans_no_pages_if_told_so(pair: Pair) -> None:
    """C16: it goes on until the feeder is empty."""
    done = pair.ours(*SMALL, "--batch-count=0")
    assert (done.status, done.files) == (0, {})
    assert done.stderr.endswith("Batch terminated, 0 pages scanned\n")


# -- Signals and pipes ---------------------------------------------------------------------------


def start(pair: Pair, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a scan that takes minutes; return when it has its first data."""
    process = subprocess.Popen(
        [OWN, "-d", "test", "--progress", *SLOW, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=pair.config,
        env=environment(pair.config, None),
    )
    hear(process, b"P")  # of "Progress"
    return process


def hear(process: subprocess.Popen[bytes], text: bytes) -> bytes:
    """Return what the program says until *text* is among it."""
    assert process.stderr is not None
    heard = b""
    while text not in heard:
        data = os.read(process.stderr.fileno(), 4096 if len(text) > 8 else 1)
        assert data, heard
        heard += data
    return heard


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE])
@pytest.mark.parametrize("choice", ["", "native test\n"], ids=["ours", "a C backend"])
def test_own_scanimage_is_stopped_by_signals(pair: Pair, number: int, choice: str) -> None:
    """C14: SIGTERM too, which the C backend takes for itself; it calls what was cancelled whole."""
    (pair.config / "pysane.conf").write_text(choice)
    with start(pair, "--format=pnm") as process:
        try:
            assert process.stdout is not None
            if number == signal.SIGPIPE:
                process.stdout.close()
            else:
                process.send_signal(number)
            stderr = process.communicate(timeout=TIMEOUT)[1].decode()
        finally:
            process.kill()
    exits = EXITS_OF_THE_ORIGINALS if choice else EXITS
    check_stopped(stderr.replace(OWN.name, "scanimage"), number, process.returncode, exits)


@pytest.mark.parametrize("where", [["-o", "page.pnm"], ["--batch=page%d.pdf", "--format=pdf"]])
def test_own_scanimage_leaves_nothing_of_a_page_that_is_stopped(
    pair: Pair, where: list[str]
) -> None:
    before = {path.name for path in pair.config.iterdir()}
    with start(pair, *where) as process:
        try:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    assert process.returncode in (2, 9)
    assert {path.name for path in pair.config.iterdir()} == before


def test_own_scanimage_ends_at_once_at_the_second_signal(pair: Pair) -> None:
    """While it asks for a document nobody looks at the first one."""
    words: list[str | Path] = [OWN, *SMALL, "--batch", "--batch-prompt"]
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(pair.config, None),
    ) as process:
        try:
            heard = hear(process, b"to terminate.\n")
            for said in (b"trying to stop scanner\n", b"aborting\n"):
                process.send_signal(signal.SIGINT)
                heard += hear(process, said)
            process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    assert process.returncode == 0
    assert heard.decode().endswith(f"{OWN.name}: received signal 2\n{OWN.name}: aborting\n")
