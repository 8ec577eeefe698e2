"""The distribution's scanimage on our libsane.so.1: everything as on the library it was made for.

Whatever a user sees must be the same: output, files, messages and exit status. Only help texts
are our own words.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.peers.frontends import (
    DESCRIPTION,
    LATENCY,
    OURS,
    SLOW,
    TIMEOUT,
    Scanimage,
    configure,
    environment,
    interrupt,
    peer,
)
from tests.support.distribution import sane_version

ADF = "--source=Automatic Document Feeder"
COLOR = "--mode=Color"
PATTERN = "--test-picture=Color pattern"
GRID = "--test-picture=Grid"
THREE = "--three-pass=yes"
EXTRA = "--enable-test-options=yes"
FORMATS = ("pnm", "png", "tiff", "jpeg", "pdf")
DEBUG = {"SANE_DEBUG_TEST": "255", "SANE_DEBUG_DLL": "255", "SANE_DEBUG_SANEI_CONFIG": "255"}
DEBUG_LINE = re.compile(r"\[\d\d:\d\d:\d\d\.\d{6}\] \[(dll|test|sanei_debug|sanei_config)\] \S.*")


@pytest.fixture
def scanimage(tmp_path: Path) -> Scanimage:
    return Scanimage(tmp_path / "run", configure(tmp_path / "sane.d"))


def test_scanimage_is_linked_to_the_library_under_test(scanimage: Scanimage) -> None:
    """Otherwise all comparisons below would compare one library with itself."""
    runs = (scanimage.ours, scanimage.theirs)
    told = [run(environ={"LD_TRACE_LOADED_OBJECTS": "1"}).stdout.decode() for run in runs]
    linked = [re.search(r"libsane\.so\.1 => (\S+)", text) for text in told]
    assert all(linked)
    ours, theirs = (Path(match[1]).resolve() for match in linked if match)
    assert ours == (OURS / "libsane.so.1").resolve() and theirs != ours


# -- Lists and options ---------------------------------------------------------------------------

LISTS = (["-L"], ["-f", "%d|%v|%m|%t|%i|%n"], ["-f", "%d%%n%x %d"], ["-L", "-v"])


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_scanimage_lists_devices(scanimage: Scanimage, arguments: list[str]) -> None:
    assert b"test:0" in scanimage.same(*arguments).stdout


NEWER = (  # lines of test.conf that the original takes otherwise from 1.3.1 on, and what -A shows
    ("mode color\nthree-pass-order bgr\n", "--mode Gray|Color [Gray]"),
    ('test-picture "Solid"\ntest-picture grid\n', "[Solid black]"),
    ("scan-source Feeder\n", "[Flatbed]"),
    ("read-status-code EOF\n", "SANE_STATUS_ACCESS_DENIED [Default]"),
    ("depth 0b1000\nppl-loss 0b11z\n", "(in steps of 1) [3]"),
)


@pytest.mark.parametrize(("lines", "shown"), NEWER)
def test_scanimage_shows_what_test_conf_says(scanimage: Scanimage, lines: str, shown: str) -> None:
    (scanimage.config / "test.conf").write_text(f"resolution 50\n{lines}")
    runs = (scanimage.ours, scanimage.theirs)[: 1 if sane_version() < (1, 3, 1) else 2]
    told = {DESCRIPTION.sub("", run("-d", "test", "-A").stdout.decode()) for run in runs}
    assert len(told) == 1
    assert shown in told.pop()


def test_scanimage_shows_its_own_and_the_library_version(scanimage: Scanimage) -> None:
    ours, theirs = scanimage.ours("-V"), scanimage.theirs("-V")
    assert ours.status == theirs.status == 0
    assert ours.stdout.split(b";")[0] == theirs.stdout.split(b";")[0]
    assert ours.stdout.endswith(b"; backend version 1.2.1\n")


OPTIONS: tuple[list[str], ...] = (
    [],
    [COLOR],
    [COLOR, THREE],
    ["--depth=16", "--read-limit=yes", "--read-delay=yes"],
    ["--hand-scanner=yes"],
    [EXTRA],
    [EXTRA, "--enable-test-options=no"],
    ["--resolution=99999", "-l", "300", "-t", "-5", "-x", "50.4", "-y", "1"],
    [EXTRA, "--int=-7", "--int-constraint-range=77", "--int-inexact=5", "--fixed=3.25"],
    [EXTRA, "--int-constraint-word-list=16", "--fixed-constraint-word-list=100"],
    [EXTRA, "--int-constraint-array-constraint-range=[0]4-[5]192"],
    [EXTRA, "--gamma-table=[0]255-[4095]0", "--red-gamma-table=1,2,3"],
    [EXTRA, "--string=Straße", "--string-constraint-string-list=second"],
    [EXTRA, "--bool-soft-select-soft-detect-auto=auto"],
    ["--mode=color", "--test-picture=grid", "--source=auto"],
)


@pytest.mark.parametrize("arguments", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("device", ["test:0", "test:1"])
def test_scanimage_shows_all_options(
    scanimage: Scanimage, device: str, arguments: list[str]
) -> None:
    """The same but for the help texts, of which every option has one."""
    shown = [run("-d", device, *arguments, "-A") for run in (scanimage.ours, scanimage.theirs)]
    texts = [DESCRIPTION.sub("        ...\n", done.stdout.decode("latin-1")) for done in shown]
    assert texts[0] == texts[1]
    assert texts[0].count("\n        ...\n") > 20
    assert shown[0].stderr == shown[1].stderr
    assert shown[0].status == shown[1].status == 0


MISTAKES = (
    ["--mode=Purple"],
    ["--mode="],
    ["--mode=auto"],
    ["--depth=seven"],
    ["--test-picture=Solid"],
    ["--three-pass=yes"],
    [COLOR, THREE, "--three-pass-order=RRR"],
    ["--nonsense=1"],
    ["--int=1"],
    ["--hand-scanner=yes", "-x", "5"],
    ["--hand-scanner=maybe"],
    [EXTRA, "--bool-soft-detect=yes"],
    [EXTRA, "--bool-hard-select=yes"],
    [EXTRA, "--int-constraint-array=1,2"],  # in mm, which it cannot read for arrays
    ["--read-limit-size=5"],
    ["--resolution"],
)


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_scanimage_refuses_what_it_should(scanimage: Scanimage, arguments: list[str]) -> None:
    scanimage.same("-d", "test", *arguments)


# -- Scans ---------------------------------------------------------------------------------------

PICTURES = (
    [PATTERN],
    [GRID, "--depth=1", "-x", "61"],  # 120 pixels: no padding, which is random
    [PATTERN, "--depth=16", "--resolution=100"],
    [PATTERN, "--depth=16", "--invert-endianess=yes"],
    ["--test-picture=Solid white", "-x", "200", "-y", "200", "--resolution=150"],
    [COLOR, PATTERN],
    [COLOR, GRID, "-l", "3", "-t", "5.5", "-x", "61.2", "-y", "10"],
    [COLOR, PATTERN, "--depth=16"],
    [COLOR, PATTERN, THREE],
    [COLOR, GRID, THREE, "--three-pass-order=BRG"],
    ["--hand-scanner=yes", GRID, "--resolution=30"],
    [COLOR, "--hand-scanner=yes", PATTERN, "--resolution=20"],
    [COLOR, "--hand-scanner=yes", PATTERN, THREE, "--resolution=20"],
    [PATTERN, "--resolution=1", "-x", "1", "-y", "1"],
    [PATTERN, "--read-limit=yes", "--read-limit-size=7"],
    [COLOR, PATTERN, "--read-delay=yes", "--read-delay-duration=1000"],
    [PATTERN, "--non-blocking=yes", "--select-fd=yes"],
)


@pytest.mark.parametrize("arguments", PICTURES, ids=" ".join)
@pytest.mark.parametrize("format_", FORMATS)
def test_scanimage_writes_the_same_file(
    scanimage: Scanimage, format_: str, arguments: list[str]
) -> None:
    done = scanimage.same("-d", "test", f"--format={format_}", "-v", *arguments)
    has_no_format = format_ == "jpeg" and "--hand-scanner=yes" in arguments  # height unknown
    assert done.stdout or done.status or has_no_format


def test_scanimage_scans_the_picture_of_the_specification(scanimage: Scanimage) -> None:
    """Not only the same as the original's: sha256 from test-backend, golden values (4.5)."""
    done = scanimage.ours("-d", "test", "--format=pnm", COLOR, PATTERN)
    header, _, image = done.stdout.partition(b"\n255\n")
    assert header.startswith(b"P6") and header.endswith(b"157 196")
    assert hashlib.sha256(image).hexdigest().startswith("8f713271e4b67e39")


def test_scanimage_scans_depths_it_can_not_write(scanimage: Scanimage) -> None:
    """Three passes of 16 bits end it (an assertion), whatever the library."""
    done = scanimage.same("-d", "test", COLOR, THREE, "--depth=16")
    assert done.status == -signal.SIGABRT


FORCED = ("UNSUPPORTED", "CANCELLED", "INVAL", "EOF", "JAMMED", "COVER_OPEN", "ACCESS_DENIED")


@pytest.mark.parametrize("status", FORCED)
def test_scanimage_tells_the_status_of_a_failed_read(scanimage: Scanimage, status: str) -> None:
    scanimage.same("-d", "test", f"--read-return-value=SANE_STATUS_{status}")


@pytest.mark.parametrize("size", ["-B", "--buffer-size=1", "--buffer-size=64", "-B1000"])
@pytest.mark.parametrize("mode", [[], [COLOR], [COLOR, THREE]], ids=" ".join)
def test_scanimage_scans_with_any_buffer_size(
    scanimage: Scanimage, size: str, mode: list[str]
) -> None:
    arguments = ["-d", "test", "--resolution=300", PATTERN, *mode]
    # Without a number it is 1 MiB up to 1.2.1; later it wants one, as the next word if need be.
    number = ["1024"] if size == "-B" and sane_version() >= (1, 3, 1) else []
    done = scanimage.same(*arguments, size, *number)
    assert done.stdout == scanimage.ours(*arguments).stdout


@pytest.mark.parametrize("options", [[], ["-n"], ["-T"], ["-p"]], ids=" ".join)
def test_scanimage_writes_to_a_named_file(scanimage: Scanimage, options: list[str]) -> None:
    done = scanimage.same("-d", "test", "-o", "page.png", *options)
    assert done.status == 0 and done.stdout == b""


TESTED: tuple[list[str], ...] = (
    *([], [COLOR], ["--depth=1"], ["--depth=16"], [COLOR, "--depth=16", "--resolution=200"]),
    *([COLOR, THREE], ["--hand-scanner=yes"], ["--read-limit=yes", "--read-limit-size=100"]),
    *([ADF], ["--non-blocking=yes"], ["--fuzzy-parameters=no", "--ppl-loss=5"]),
)


@pytest.mark.parametrize("arguments", TESTED, ids=" ".join)
def test_scanimage_passes_its_own_test(scanimage: Scanimage, arguments: list[str]) -> None:
    done = scanimage.same("-d", "test", "-T", "--test-picture=Grid", *arguments)
    assert done.status == 0
    assert "PASS" in done.stderr and "FAIL" not in done.stderr


# -- Batches -------------------------------------------------------------------------------------

BATCHES: tuple[tuple[list[str], int], ...] = (
    ([ADF, "--batch"], 10),
    ([ADF, "--batch=page%03d.png", "--format=png"], 10),
    ([ADF, "--batch", "--format=tiff", "--batch-start=5", "--batch-increment=3"], 10),
    ([ADF, "--batch", "--format=jpeg", "--batch-double", "--batch-print", COLOR], 10),
    ([ADF, "--batch", COLOR, THREE], 10),
    ([ADF, "--batch", "--batch-count=10"], 10),
    ([ADF, "--batch", "--batch-count=11"], 10),
    (["--batch", "--batch-count=12", "--batch-print"], 12),
    (["--batch=one.pnm", "--batch-count=2"], 1),
)


@pytest.mark.parametrize(("arguments", "files"), BATCHES, ids=lambda v: " ".join(map(str, [v])))
def test_scanimage_batch_goes_on_until_out_of_documents(
    scanimage: Scanimage, arguments: list[str], files: int
) -> None:
    done = scanimage.same("-d", "test", PATTERN, "--resolution=20", *arguments)
    assert len(done.files) == files


def test_scanimage_batch_ends_well_when_the_feeder_is_empty(scanimage: Scanimage) -> None:
    done = scanimage.ours("-d", "test", "--resolution=20", ADF, "--batch")
    assert done.status == 0
    assert done.stderr.endswith(
        "sane_start: Document feeder out of documents\nBatch terminated, 10 pages scanned\n"
    )


def test_scanimage_batch_waits_for_the_return_key(scanimage: Scanimage) -> None:
    prompted = ("-d", "test", "--batch", "--batch-prompt", "--batch-count=5")
    assert len(scanimage.same(*prompted, stdin=b"\n\n\n").files) == 3


# -- Device names and configuration --------------------------------------------------------------

NAMES = ("", "test", "test:", "test:0", "test:1", ":x", ":1", "test:2", "test:00", "test: 0")
WRONG = ("nosuch", "nosuch:1", "tset:0", "Test:0", "test;0", "../test:0", "a/b:c", "test:0:1", " ")


@pytest.mark.parametrize("name", NAMES + WRONG)
def test_scanimage_opens_by_name(scanimage: Scanimage, name: str) -> None:
    done = scanimage.same("-d", name, "--resolution=20")
    assert name in NAMES or done.status == 1


def test_scanimage_without_a_name_takes_the_first_device(scanimage: Scanimage) -> None:
    assert scanimage.same("--resolution=20").status == 0


@pytest.mark.parametrize(("name", "status"), [("test:1", 0), ("test:9", 1)])
def test_scanimage_takes_the_default_device_of_the_environment(
    scanimage: Scanimage, name: str, status: int
) -> None:
    assert scanimage.same("--resolution=20", environ={"SANE_DEFAULT_DEVICE": name}).status == status


@pytest.mark.parametrize("name", ["dll:x", "dll", "dll:test:0"])
def test_scanimage_gets_inval_where_the_original_crashes(scanimage: Scanimage, name: str) -> None:
    done = scanimage.ours("-d", name)
    assert done.status == 1
    assert f"open of device {name} failed: Invalid argument" in done.stderr


ALIASES = 'alias short test:1\nalias "with blanks" test:0\nalias chain short\nhide pnm:1\n'
RENAMED = ["short", "with blanks", "test:0", "test:1", "chain", "pnm:1", "with", "hide"]


@pytest.fixture
def renamed(tmp_path: Path) -> Scanimage:
    config = configure(tmp_path / "sane.d", "test\npnm\n", dll_aliases=ALIASES)
    return Scanimage(tmp_path / "run", config)


@pytest.mark.parametrize("name", RENAMED)
def test_scanimage_opens_by_alias(renamed: Scanimage, name: str) -> None:
    renamed.same("-d", name, "-n")


def test_scanimage_lists_aliases_and_leaves_out_hidden_devices(renamed: Scanimage) -> None:
    listed = renamed.same("-f", "%d%n").stdout.decode().splitlines()
    assert listed == ["pnm:0", "with blanks", "short"]


ORDERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("test\npnm\n", {}),
    ("pnm\ntest\n", {}),
    ("pnm\r\n  # remark\n\n\ttest rest\r\n#test\nnosuch\n", {}),
    ('"pnm"\ntest#x\npnm\n', {}),
    ("test\ntest\n", {"extra": "pnm\n"}),
    ("", {"extra": "pnm\n", "x.bak": "test\n"}),
    ("pnm\n", {".hidden": "test\n", "old~": "test\n", "old#": "test\n"}),
    ('test\n"pnm\n', {}),
    ("", {}),
)


@pytest.mark.parametrize(("dll", "snippets"), ORDERS)
def test_scanimage_lists_in_the_order_of_the_configuration(
    scanimage: Scanimage, dll: str, snippets: dict[str, str]
) -> None:
    folder = scanimage.config / "dll.d"
    folder.mkdir()
    for name, text in snippets.items():
        (folder / name).write_text(text)
    (scanimage.config / "dll.conf").write_text(dll)
    scanimage.same("-f", "%d %m%n")
    scanimage.same("-d", "", "-n")
    scanimage.same("-n")


def test_scanimage_finds_no_backend_pysane_in_our_library(tmp_path: Path) -> None:
    """That name is for the distribution's dll; in ours it would list everything again."""
    config = configure(tmp_path / "sane.d", "pysane\ntest\n", pysane_conf="backend test\n")
    listed = Scanimage(tmp_path / "run", config).ours("-f", "%d ")
    assert listed.stdout == b"test:0 test:1 "


@pytest.mark.parametrize("present", [True, False])
def test_scanimage_reads_the_configuration_of_the_working_directory(
    tmp_path: Path, present: bool
) -> None:
    """Without SANE_CONFIG_DIR ``.`` comes first; with a final colon the defaults follow."""
    place = configure(tmp_path / "here") if present else tmp_path
    configure(tmp_path / "first", "test\n" if not present else "")
    if present:
        (tmp_path / "first" / "dll.conf").unlink()
    env = environment(tmp_path / "first", OURS) | {"SANE_CONFIG_DIR": f"{tmp_path}/first:"}
    command = [peer("scanimage"), "-f", "%d "]
    done = subprocess.run(
        command, cwd=place, env=env, capture_output=True, check=True, timeout=TIMEOUT
    )
    assert done.stdout.startswith(b"test:0 test:1 ")


@pytest.mark.parametrize("variable", ["LD_BIND_NOW", "LC_ALL=de_DE.UTF-8", "LANG=C.UTF-8"])
def test_scanimage_scans_in_other_environments(scanimage: Scanimage, variable: str) -> None:
    name, _, value = variable.partition("=")
    done = scanimage.same("-d", "test", COLOR, PATTERN, environ={name: value or "1"})
    assert done.status == 0


# -- Standard input and output -------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["-d", "test", PATTERN], ["-L"], ["-f", "%d"], ["-d", "test", "-T"]], ids=" ".join
)
def test_scanimage_output_is_byte_exact_with_debugging_on(
    scanimage: Scanimage, arguments: list[str]
) -> None:
    assert scanimage.ours(*arguments, environ=DEBUG).stdout == scanimage.theirs(*arguments).stdout


def test_scanimage_debugging_goes_to_stderr_in_the_usual_form(tmp_path: Path) -> None:
    env = environment(configure(tmp_path / "sane.d"), OURS) | DEBUG
    command = [peer("scanimage"), "-d", "test", "--format=pnm", "-o", "page.pnm"]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, check=True, timeout=TIMEOUT, text=True
    )
    lines = done.stderr.splitlines()
    assert [line for line in lines if not DEBUG_LINE.fullmatch(line)] == []
    modules = {match[1] for line in lines if (match := DEBUG_LINE.fullmatch(line))}
    assert {"dll", "test", "sanei_debug"} <= modules
    for name in ("dll", "test"):
        assert f"[sanei_debug] Setting debug level of {name} to 255." in done.stderr


def test_scanimage_does_not_lose_its_standard_input(tmp_path: Path) -> None:
    text = tmp_path / "stdin"
    text.write_bytes(b"not for you\n" * 1000)
    env = environment(configure(tmp_path / "sane.d"), OURS)
    with text.open("rb") as stdin:
        subprocess.run(
            [peer("scanimage"), "-d", "test", "-o", "page.pnm"],
            stdin=stdin,
            cwd=tmp_path,
            env=env,
            timeout=TIMEOUT,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        assert os.lseek(stdin.fileno(), 0, os.SEEK_CUR) == 0


# -- Signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"])
def test_scanimage_stops_at_once_when_interrupted(scanimage: Scanimage, name: str) -> None:
    assert interrupt(scanimage.config, OURS, signal.Signals[name]) < LATENCY


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGPIPE"])
def test_scanimage_is_stopped_the_same_way_on_the_original(scanimage: Scanimage, name: str) -> None:
    """Which is what interrupt() expects. Not SIGTERM: its test backend takes the handler away."""
    assert interrupt(scanimage.config, None, signal.Signals[name]) < LATENCY


def test_scanimage_device_can_be_opened_after_an_interrupt(scanimage: Scanimage) -> None:
    interrupt(scanimage.config, OURS, signal.SIGINT)
    assert scanimage.same("-d", "test", PATTERN).status == 0


def test_scanimage_batch_stops_at_once_when_interrupted(tmp_path: Path) -> None:
    env = environment(configure(tmp_path / "sane.d"), OURS)
    command = [peer("scanimage"), "-d", "test", *SLOW, ADF, "--batch", "--progress"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            seen = b""  # a cancel before the start, when the page is announced, would do nothing
            while b"Progress" not in seen:
                seen += os.read(process.stderr.fileno(), 100) or pytest.fail(seen.decode())
            before = time.monotonic()
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=TIMEOUT)[1].decode()
            assert time.monotonic() - before < LATENCY
            assert "scanimage: trying to stop scanner\n" in rest
        finally:
            process.kill()


# -- Other programs start ------------------------------------------------------------------------

LISTING = "import sane; print(sane.init()[1:], [device[0] for device in sane.get_devices()])"


def test_scanimage_is_not_alone_saned_starts(tmp_path: Path) -> None:
    env = environment(configure(tmp_path / "sane.d"), OURS)
    command = [peer("saned"), "-h"]
    done = subprocess.run(command, env=env, capture_output=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0 and b"--listen" in done.stderr


def test_scanimage_is_not_alone_python_sane_starts(tmp_path: Path) -> None:
    command = [peer("python3"), "-c", "import _sane"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("peer absent: python3-sane")
    env = environment(configure(tmp_path / "sane.d"), OURS)
    command[-1] = LISTING
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, timeout=TIMEOUT, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"(1, 2, 1) ['test:0', 'test:1']\n"
