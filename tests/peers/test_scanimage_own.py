"""Our scanimage, the distribution's as the referee: output, files, messages, exit status."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests import ROOT
from tests.peers.frontends import (
    DESCRIPTION,
    configure,
    environment,
)
from tests.peers.original_saned import OriginalSaned
from tests.peers.scanimage_pair import OWN, Pair, comparable, write_profile
from tests.peers.walk_scanimage import ADF, walk
from tests.peers.walks import walk_count
from tests.support.distribution import sane_version
from tests.support.ports import loopback_address
from tests.support.saned import configure as configure_server

SMALL = ("-d", "test", "--resolution=20")
PATTERN = "--test-picture=Color pattern"
COLOR = "--mode=Color"
EXTRA = "--enable-test-options=yes"
FORMATS = ("pnm", "tiff", "png", "jpeg", "pdf")
ENDLESS_FEEDER = f"--source={ADF}"


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "run", configure(tmp_path / "sane.d"))


# -- Lists, options, mistakes --------------------------------------------------------------------

LINES = (
    ["-L"],
    ["-L", "--nonsense", "-V"],
    ["-f", "%d|%v|%m|%t|%i|%n"],
    ["-f", "%d%%n%x %d", "-L"],
    ["-f", "x%"],
    ["-vv", "-L"],
    ["-d", "test", "-n", "-vv"],
    ["-d", "test", "-n", "stray", "words"],
    ["-d", "test", "-n", "--", "--mode=Gray"],
    ["-d", "test", "-nq"],
    ["-d", "test", "-nbfoo"],
    ["-b", "foo", "-n", "-d", "test"],
    ["-d"],
    ["-d", "test", "-n", "--mode"],
    ["-d", "test", "-n", "--help=3"],
    ["-d", "test", "-n", "--re=100"],
    ["-d", "test", "-n", "--res=100", "--mod", "Color"],
    ["-d", "test", "-n", "--b"],
    ["-d", "test", "-n", "--form=png"],
    ["-d", "test", "-n", EXTRA, "--bool"],
    ["-d", "test", EXTRA, "--string", "-L"],
    ["-d", "test", "--format=foo", "-V"],
    ["-d", "test", "-o", "page.ppm"],
    ["-d", "test", "-o", "/nonexistent/page.png"],
    ["-d", "test", "--batch", "-o", "page.png"],
    ["-d", "/dev/scanner"],
    ["-d", "nosuch", "-vv"],
    ["-d", "test", "-n", "--int=1"],
    ["-d", "test", "-n", EXTRA, "--bool-hard-select=yes"],
    ["-d", "test", "-n", EXTRA, "--bool-soft-detect=x"],
    ["-d", "test", "-n", EXTRA, "--fixed=0.399999", "--int-inexact=5", "--int=12x"],
    ["-d", "test", "-n", EXTRA, "--int-constraint-array-constraint-range=[0]4-[5]104"],
    ["-d", "test", "-n", EXTRA, "--gamma-table=[4096]1"],
    ["-d", "test", "-n", EXTRA, "--gamma-table=[1"],
    ["-d", "test", "-n", EXTRA, "--bool-soft-select-soft-detect-auto=AUTO"],
    ["-d", "test", "-n", EXTRA, "--button=1"],
    ["-d", "test", "-n", "--hand-scanner=maybe"],
    ["-d", "test", "-n", "--hand-scanner=yes", "-l", "5"],
    ["-d", "test", "-n", "-x", "5mmm"],
    ["-d", "test", "-n", "--br-x=9"],
    ["-d", "test", "-n", f"--batch-start={'9' * 5000}"],
)


@pytest.mark.parametrize("arguments", LINES, ids=lambda words: " ".join(words)[:60])
def test_own_scanimage_understands_the_same(pair: Pair, arguments: list[str]) -> None:
    pair.same(*arguments)


@pytest.mark.parametrize("device", [None, "test:1", "nosuch"])
def test_own_scanimage_takes_the_default_device(pair: Pair, device: str | None) -> None:
    environ = {} if device is None else {"SANE_DEFAULT_DEVICE": device}
    pair.same("-L", environ=environ)
    pair.same("-n", environ=environ)


def test_own_scanimage_finds_no_device(pair: Pair) -> None:
    (pair.config / "dll.conf").write_text("")
    for arguments in (["-L"], ["-f", "%d"], ["-n"], ["-A"]):
        pair.same(*arguments)
    assert pair.ours("-h").status == 0


TABLES: tuple[list[str], ...] = (
    [],
    [EXTRA],
    [COLOR, "--depth=16", "-l", "30"],
    ["-l", "30", COLOR],
    ["-x", "50", COLOR, "-l", "10"],
    ["-l", "190", "-x", "50"],
    ["--tl-x=30", "-x", "3in", "-t", "1cm"],
    ["--hand-scanner=yes", "-x", "5"],
    ["-x", "-5", "-y", "0.4"],
)


@pytest.mark.parametrize("arguments", TABLES, ids=" ".join)
def test_own_scanimage_shows_the_same_table(pair: Pair, arguments: list[str]) -> None:
    """But for the help texts, which are the backend's."""
    words = ("-d", "test", *arguments, "-A")
    shown = [comparable(run(*words)) for run in (pair.ours, pair.theirs)]
    texts = [DESCRIPTION.sub("        ...\n", done.stdout.decode()) for done in shown]
    assert texts[0] == texts[1]
    assert texts[0].count("\n        ...\n") > 20
    assert shown[0]._replace(stdout=b"") == shown[1]._replace(stdout=b"")


HEAD = "\nOptions specific to device `test:0':\n"


def test_own_scanimage_shows_options_with_its_help(pair: Pair) -> None:
    ours, theirs = (run("-h").stdout.decode() for run in (pair.ours, pair.theirs))
    tables = [
        DESCRIPTION.sub("", text[text.index(HEAD) :]).replace(OWN.name, "scanimage")
        for text in (ours, theirs)
    ]
    assert tables[0] == tables[1]
    assert pair.ours("-h", "-d", "nosuch").status == 0


def test_own_scanimage_tells_its_version_as_scripts_know_it(pair: Pair) -> None:
    text = pair.ours("-hV").stdout.decode()
    assert re.fullmatch(rf"{OWN.name} \(.*\) .*; backend version \d+\.\d+\.\d+\n", text)


# -- Scans ---------------------------------------------------------------------------------------

FORMS: tuple[list[str], ...] = (
    [],
    ["--depth=1", "-x", "61"],
    ["--depth=16", "--resolution=30"],
    [COLOR],
    [COLOR, "--depth=16"],
    ["--resolution=75", "-x", "33.3"],
)
RIGHT = {("jpeg", "--depth=16"), ("pdf", "--depth=16")}  # where the original is wrong: C7


@pytest.mark.parametrize("arguments", FORMS, ids=" ".join)
@pytest.mark.parametrize("format_", FORMATS)
def test_own_scanimage_writes_the_same_file(pair: Pair, format_: str, arguments: list[str]) -> None:
    words = (*SMALL, PATTERN, f"--format={format_}", "-v", "-p", *arguments)
    words += ("-o", "page") if format_ == "pdf" else ()  # on stdout: C10
    if any((format_, argument) in RIGHT for argument in arguments):
        assert pair.ours(*words).status == 0
    else:
        pair.same(*words)


@pytest.mark.parametrize("arguments", [["--hand-scanner=yes"], [COLOR, "--three-pass=yes"]])
@pytest.mark.parametrize("format_", ["pnm", "tiff"])
def test_own_scanimage_writes_what_is_buffered(
    pair: Pair, format_: str, arguments: list[str]
) -> None:
    pair.same(*SMALL, PATTERN, f"--format={format_}", "-v", "-p", *arguments)


def test_own_scanimage_puts_profiles_into_files(pair: Pair, tmp_path: Path) -> None:
    good = write_profile(tmp_path / "good.icc", more=7)
    gray = write_profile(tmp_path / "gray.icc", b"GRAY")
    cut = write_profile(tmp_path / "cut.icc", missing=9)
    empty = tmp_path / "empty.icc"
    empty.write_bytes(b"")
    for path in (good, gray, cut, empty, tmp_path / "absent.icc"):
        for name in ("page.png", "page.tif", "page.jpg"):
            for mode in ([], [COLOR]):
                pair.same(*SMALL, "-i", str(path), "-o", name, *mode)


@pytest.mark.parametrize("status", ["UNSUPPORTED", "INVAL", "JAMMED", "COVER_OPEN", "NO_DOCS"])
def test_own_scanimage_ends_with_the_status_of_a_read(pair: Pair, status: str) -> None:
    fails = f"--read-return-value=SANE_STATUS_{status}"
    for where in ([], ["-o", "page.png"], ["--batch"], ["-T"]):
        pair.same(*SMALL, fails, "-v", "-p", *where)


TESTED: tuple[list[str], ...] = (
    *([], [COLOR, "--depth=16"], [COLOR, "--three-pass=yes"], ["--hand-scanner=yes"]),
    *(["--read-limit=yes", "--read-limit-size=1"], ["-x", "1", "-y", "1"], [ENDLESS_FEEDER]),
)


@pytest.mark.parametrize("arguments", TESTED, ids=" ".join)
def test_own_scanimage_tests_a_backend(pair: Pair, arguments: list[str]) -> None:
    pair.same("-d", "test", "-T", *arguments)


# -- Batches -------------------------------------------------------------------------------------

BATCHES: tuple[tuple[list[str], int], ...] = (
    ([ENDLESS_FEEDER, "--batch"], 10),
    ([ENDLESS_FEEDER, "--batch=page%03d.png", "--format=png", "-v", "-p"], 10),
    ([ENDLESS_FEEDER, "--batch", "--format=tiff", "--batch-start=5", "--batch-increment=3"], 10),
    ([ENDLESS_FEEDER, "--batch", "--format=jpeg", "--batch-double", "--batch-print"], 10),
    ([ENDLESS_FEEDER, "--batch", "--format=pdf", "--batch-start=3"], 1),
    ([ENDLESS_FEEDER, "--batch-count=11"], 10),
    ([ENDLESS_FEEDER, "--batch-count=-1"], 10),
    ([ENDLESS_FEEDER, "--batch-count=11", "--format=pdf"], 1),
    (["--batch-count=1", "--batch=%5.3d%%"], 1),
    (["--batch-count=2", "--batch=%#o-%%", "--batch-start=9"], 2),
    (["--batch-count=2", "--batch=%x", "--batch-start=-3"], 2),
    (["--batch-count=2", "--batch=/nonexistent/%d"], 0),
    (["--batch-count=2", "-n"], 0),
)


@pytest.mark.parametrize(("arguments", "files"), BATCHES, ids=lambda v: " ".join(map(str, [v])))
def test_own_scanimage_scans_batches(pair: Pair, arguments: list[str], files: int) -> None:
    assert len(pair.same(*SMALL, PATTERN, *arguments).files) == files


@pytest.mark.parametrize("typed", [b"", b"\n", b"\n\n\n", b"\n" * 9])
def test_own_scanimage_asks_for_documents(pair: Pair, typed: bytes) -> None:
    pages = min(4, typed.count(b"\n"))
    done = pair.same(*SMALL, "--batch-prompt", "--batch-count=4", stdin=typed)
    assert len(done.files) == pages


def test_own_scanimage_takes_a_line_as_one_answer_as_from_1_3_1_on(pair: Pair) -> None:
    words = (*SMALL, "--batch", "--batch-prompt", "--batch-count=9")
    runs = [pair.ours] if sane_version() < (1, 3, 1) else [pair.ours, pair.theirs]
    for run in runs:
        assert len(run(*words, stdin=b"yes\nn\nno line end").files) == 2


def test_own_scanimage_tells_that_it_cannot_ask(pair: Pair) -> None:
    """As from 1.3.1 on."""
    command = f"{OWN} {' '.join(SMALL)} --batch --batch-prompt <&-"
    done = subprocess.run(
        ["sh", "-c", command],
        env=environment(pair.config, None),
        cwd=pair.config,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.endswith(
        f"{OWN.name}: stdin error: Bad file descriptor\nBatch terminated, 0 pages scanned\n"
    )


def test_own_scanimage_reads_as_much_as_it_is_told(pair: Pair) -> None:
    """-B has its number as from 1.3.1 on, and may be without one as before that."""
    expected = pair.ours(*SMALL, PATTERN)
    sizes = (["-B1"], ["-B", "64"], ["--buffer-size=3"], ["--buffer-size", "7"], ["-B"])
    for size in sizes:
        assert pair.ours(*size, *SMALL, PATTERN).stdout == expected.stdout
    pair.same(*SMALL, PATTERN, "-B64")
    newer = sane_version() >= (1, 3, 1)
    for size in (["-B", "64"], ["--buffer-size", "7"]) if newer else ():
        pair.same(*SMALL, PATTERN, *size)


# -- Passwords -----------------------------------------------------------------------------------

USER, PASSWORD = "joe", "se cret"
ANSWER = f"{USER}\n{PASSWORD}\n".encode()


@pytest.mark.parametrize(
    ("remembered", "mode", "typed"),
    [
        (PASSWORD, 0o600, b""),
        ("wrong", 0o600, ANSWER),
        (PASSWORD, 0o640, ANSWER),
        (None, 0, ANSWER),
        (None, 0, b"joe\n"),
        (None, 0, b""),
    ],
)
def test_own_scanimage_asks_for_passwords(
    tmp_path: Path, remembered: str | None, mode: int, typed: bytes
) -> None:
    server = configure_server(tmp_path / "server", saned_users=f"{USER}:{PASSWORD}:test\n")
    address = loopback_address()
    config = configure_server(tmp_path / "client", "net\n", net_conf=f"{address}\n")
    (tmp_path / ".sane").mkdir()
    if remembered is not None:
        path = tmp_path / ".sane" / "pass"
        path.write_text(f"# joe\n{USER}:{remembered}:net:{address}:test\n")
        path.chmod(mode)
    pair = Pair(tmp_path / "run", config)
    words = ("-d", f"net:{address}:test:0", "--format=pnm", "--resolution=10", "--accept-md5-only")
    with OriginalSaned(server, address=address):
        pair.same(*words, stdin=typed, environ={"HOME": str(tmp_path)})


# -- The documentation ---------------------------------------------------------------------------


def examples() -> list[str]:
    text = (ROOT / "docs" / "scanimage.md").read_text()
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


@pytest.mark.parametrize("line", examples())
def test_own_scanimage_does_what_its_documentation_shows(
    pair: Pair, tmp_path: Path, line: str
) -> None:
    assert line.startswith("scanimage ")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "scanimage").symlink_to(OWN)
    environ = environment(pair.config, None)
    environ["PATH"] = f"{tmp_path}/bin:{environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line], env=environ, cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = {path.name for path in tmp_path.iterdir()} - {"bin", "sane.d"}
    assert done.stdout or made


# -- Walks ---------------------------------------------------------------------------------------

BUDGET_SECONDS = 10.0


def check_walks(pair: Pair, seeds: range, seconds: float) -> None:
    """Compare both programs with random command lines until the time is over."""
    deadline = time.monotonic() + seconds
    for seed in seeds:
        arguments = walk(seed)
        shows = any(word == "-A" for word in arguments)
        if shows:
            ours, theirs = (comparable(run(*arguments)) for run in (pair.ours, pair.theirs))
            texts = [DESCRIPTION.sub("", done.stdout.decode("latin-1")) for done in (ours, theirs)]
            assert texts[0] == texts[1], (seed, arguments)
            assert ours.stderr == theirs.stderr, (seed, arguments)
        else:
            pair.same(*arguments)
        if time.monotonic() > deadline:
            return


def test_own_scanimage_walks_with_the_original(pair: Pair) -> None:
    check_walks(pair, range(walk_count(40)), BUDGET_SECONDS)


@pytest.mark.long
def test_own_scanimage_walks_far_with_the_original(pair: Pair) -> None:
    check_walks(pair, range(1000, 1000 + walk_count(2000)), 3600.0)
