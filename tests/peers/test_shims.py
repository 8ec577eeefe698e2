"""Our backends below the distribution's own libsane.so.1: found, loaded and driven by its dll.

LD_LIBRARY_PATH names a folder with our libsane-<backend>.so.1 and nothing else: dll looks there
first, and the frontend keeps the libsane that it was made for.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT, cc
from tests.conftest import PREFIX
from tests.peers.frontends import (
    DESCRIPTION,
    LATENCY,
    TIMEOUT,
    Scanimage,
    configure,
    environment,
    interrupt,
    peer,
)

OFFER = "backend test\nbackend pnm\n"  # what pysane.conf says
ALL = "test\npytest\npysane\n"  # the original test beside ours, twice
OUR_DEVICES = ("pytest:0", "pysane:test:1")
# Links one more shim as setup.py does; the package is the staged one.
BUILD = """
import sys
from pathlib import Path
sys.path.insert(0, "packaging")
from building.libraries import Libraries
from building.toolchain import Toolchain
folder = Path(sys.argv[1])
tools = Toolchain(folder / "objects")
Libraries(tools).shim(folder / "sane", "pytest", "test")
tools.run()
"""


@pytest.fixture(scope="session")
def pytest_shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return libsane-pytest.so.1: our backend test under a name that is free."""
    if not (PREFIX / "lib" / "libsane.so.1").exists():
        pytest.fail(f"nothing staged in {PREFIX}: make build")
    folder = tmp_path_factory.mktemp("pytest-shim")
    command = [sys.executable, "-c", BUILD, str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "pysane").symlink_to(PREFIX / "lib" / "pysane")
    return folder / "sane" / "libsane-pytest.so.1"


@pytest.fixture
def beside(tmp_path: Path, pytest_shim: Path) -> Path:
    """Return a folder with our backends under names of their own."""
    folder = tmp_path / "beside"
    folder.mkdir()
    (folder / pytest_shim.name).symlink_to(pytest_shim)
    (folder / "libsane-pysane.so.1").symlink_to(PREFIX / "lib" / "sane" / "libsane-pysane.so.1")
    return folder


@pytest.fixture
def instead(tmp_path: Path) -> Path:
    """Return a folder with our backends under the original's names."""
    folder = tmp_path / "instead"
    folder.mkdir()
    for name in ("test", "pnm"):
        file = f"libsane-{name}.so.1"
        (folder / file).symlink_to(PREFIX / "lib" / "sane" / file)
    return folder


@pytest.fixture
def scanimage(tmp_path: Path) -> Iterator[Scanimage]:
    config = configure(tmp_path / "sane.d", ALL, pysane_conf=OFFER)
    yield Scanimage(tmp_path / "run", config)


def test_shims_are_loaded_by_the_distributions_libsane(scanimage: Scanimage, instead: Path) -> None:
    """Otherwise everything below would be about somebody else."""
    done = scanimage.run(instead, "-d", "test", "-n", environ={"LD_DEBUG": "libs"})
    called = [line.split()[-1] for line in done.stderr.splitlines() if "calling init:" in line]
    assert str(instead / "libsane-test.so.1") in called
    libsane = [path for path in called if path.endswith("/libsane.so.1")]
    assert libsane and not libsane[0].startswith(str(PREFIX))
    assert any("/pysane/boot." in path for path in called)


# -- Beside the originals ------------------------------------------------------------------------


def test_shims_are_listed_beside_the_originals(scanimage: Scanimage, beside: Path) -> None:
    done = scanimage.run(beside, "-f", "%d|%v|%m|%t%n")
    devices = ("pysane:pnm:0", "pysane:pnm:1", "pytest:0", "pytest:1", "test:0", "test:1")
    names = [line.split("|")[0] for line in done.stdout.decode().splitlines()]
    assert sorted(names) == sorted((*devices, "pysane:test:0", "pysane:test:1"))
    assert names[4:] == ["pytest:0", "pytest:1", "test:0", "test:1"]  # last of dll.conf first
    rests = {line.partition("|")[2] for line in done.stdout.decode().splitlines() if "test" in line}
    assert rests == {"Noname|frontend-tester|virtual device"}


def test_shims_pysane_offers_no_toys_unless_told(scanimage: Scanimage, beside: Path) -> None:
    (scanimage.config / "pysane.conf").write_text("# nothing\n")
    listed = scanimage.run(beside, "-f", "%d ").stdout.decode().split()
    assert [name for name in listed if name.startswith(("pysane:test", "pysane:pnm"))] == []
    assert "test:0" in listed


@pytest.mark.parametrize("device", OUR_DEVICES)
def test_shims_have_the_options_of_the_original(
    scanimage: Scanimage, beside: Path, device: str
) -> None:
    arguments = ("--mode=Color", "--three-pass=yes", "--enable-test-options=yes", "-A")
    ours = scanimage.run(beside, "-d", device, *arguments)
    theirs = scanimage.run(beside, "-d", "test:1", *arguments)
    texts = [done.stdout.decode("latin-1").replace(device, "test:1") for done in (ours, theirs)]
    assert DESCRIPTION.sub("", texts[0]) == DESCRIPTION.sub("", texts[1])
    assert DESCRIPTION.sub("", texts[0]).count("    --") > 40


SCANS: tuple[list[str], ...] = (
    ["--mode=Color", "--format=png"],
    ["--depth=16", "--format=tiff"],
    ["--depth=1", "-x", "61", "--format=pnm"],
    ["--mode=Color", "--three-pass=yes", "--format=pnm"],
    ["--hand-scanner=yes", "--resolution=20", "--format=pnm"],
    ["--mode=Color", "--format=jpeg", "-l", "10", "-t", "20", "-x", "50", "-y", "50"],
    ["--source=Automatic Document Feeder", "--batch", "--resolution=20"],
    ["-T", "--mode=Color"],
    ["--mode=Nothing"],
    ["--read-return-value=SANE_STATUS_JAMMED"],
)


@pytest.mark.parametrize("device", OUR_DEVICES)
@pytest.mark.parametrize("arguments", SCANS, ids=" ".join)
def test_shims_scan_what_the_original_scans(
    scanimage: Scanimage, beside: Path, device: str, arguments: list[str]
) -> None:
    picture = "--test-picture=Color pattern"
    ours = scanimage.run(beside, "-d", device, picture, *arguments)
    scanimage.agree(ours, lambda: scanimage.run(beside, "-d", "test:0", picture, *arguments))


NAMES = {
    "pytest": 0,
    "pytest:": 0,
    "pysane": 0,
    "pysane:test": 0,
    "pysane:pnm:1": 0,
    "pytest:7": 1,
    "pysane:test:7": 1,
    "pysane:nosuch:0": 1,
}


@pytest.mark.parametrize("name", NAMES)
def test_shims_open_by_name(scanimage: Scanimage, beside: Path, name: str) -> None:
    done = scanimage.run(beside, "-d", name, "-n")
    assert done.status == NAMES[name], done.stderr
    if done.status:
        assert f"open of device {name} failed: Invalid argument" in done.stderr


def test_shims_bind_at_once(scanimage: Scanimage, beside: Path) -> None:
    for device in OUR_DEVICES:
        done = scanimage.run(beside, "-d", device, "-n", environ={"LD_BIND_NOW": "1"})
        assert done.status == 0, done.stderr


@pytest.mark.parametrize("device", OUR_DEVICES)
def test_shims_keep_debug_output_off_stdout(
    scanimage: Scanimage, beside: Path, device: str
) -> None:
    debug = {f"SANE_DEBUG_{name}": "255" for name in ("TEST", "PYTEST", "PYSANE", "DLL")}
    loud = scanimage.run(beside, "-d", device, "--mode=Color", environ=debug)
    assert loud.stdout == scanimage.run(beside, "-d", "test:0", "--mode=Color").stdout
    assert "[test] " in loud.stderr and "[dll] " in loud.stderr


@pytest.mark.parametrize("device", OUR_DEVICES)
def test_shims_stop_at_once_when_interrupted(
    scanimage: Scanimage, beside: Path, device: str
) -> None:
    """scanimage calls sane_cancel in its handler; only the original's dll is between."""
    assert interrupt(scanimage.config, beside, signal.SIGINT, device) < LATENCY


# -- Instead of the originals --------------------------------------------------------------------


@pytest.mark.parametrize("arguments", SCANS, ids=" ".join)
def test_shims_replace_the_original_test(
    scanimage: Scanimage, instead: Path, arguments: list[str]
) -> None:
    command = ("-d", "test:1", "--test-picture=Color pattern", *arguments)
    scanimage.agree(scanimage.run(instead, *command), lambda: scanimage.theirs(*command))


@pytest.mark.parametrize("arguments", [["-L"], ["-f", "%d %i%n"]], ids=" ".join)
def test_shims_replace_the_original_in_lists(
    scanimage: Scanimage, instead: Path, arguments: list[str]
) -> None:
    (scanimage.config / "dll.conf").write_text("pnm\ntest\n")
    assert scanimage.run(instead, *arguments) == scanimage.theirs(*arguments)


@pytest.mark.parametrize("name", ["gray.pgm", "color.ppm", "absent.pnm"])
def test_shims_replace_the_original_pnm(
    scanimage: Scanimage, instead: Path, tmp_path: Path, name: str
) -> None:
    pixels = bytes(range(256)) * 30
    (tmp_path / "gray.pgm").write_bytes(b"P5\n64 40\n255\n" + pixels[: 64 * 40])
    (tmp_path / "color.ppm").write_bytes(b"P6\n64 40\n255\n" + pixels)
    command = ("-d", "pnm:0", f"--filename={tmp_path / name}", "--format=pnm", "--brightness=10")
    ours = scanimage.run(instead, *command)
    assert ours == scanimage.theirs(*command)
    assert (ours.status == 0) == (name != "absent.pnm")


# -- Several in one process ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def interleave(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = Path(__file__).with_name("interleave.c")
    flags = ("-O1", "-Wall", "-Wextra", "-Werror", f"-I{cc.INCLUDE}", "-ldl")
    return cc.compile_program(source, tmp_path_factory.mktemp("c") / "interleave", *flags)


@pytest.mark.parametrize("scope", ["local", "global"])
def test_shims_scan_side_by_side_with_the_original(
    scanimage: Scanimage, beside: Path, interleave: Path, scope: str
) -> None:
    """Four devices of three libraries, reads in turns; global lets symbols interpose (3.2)."""
    names = ["test:0", "pytest:0", "pysane:test:0", "pysane:test:1"]
    done = subprocess.run(
        [interleave, str(cc.distribution_libsane()), scope, *names],
        env=environment(scanimage.config, beside),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]  # the same after sane_exit
    scans = [line.split()[1:] for line in lines if line.startswith("scanned")][:4]
    assert [scan[0] for scan in scans] == names
    assert {tuple(scan[1:]) for scan in scans} == {(str(472 * 3 * 590), scans[0][2])}


HOST = """
import _sane, sane
sane.init()
names = [device[0] for device in sane.get_devices()]
images = []
for name in ("test:0", "pytest:0", "pysane:test:0"):
    device = sane.open(name)
    device.mode, device.test_picture = "Color", "Color pattern"
    device.start()
    images.append(device.snap(no_cancel=True).tobytes())
    device.close()
print(len(names), len(images[0]), images[0] == images[1] == images[2])
"""


def test_shims_serve_python_sane_on_the_distributions_libsane(
    scanimage: Scanimage, beside: Path, tmp_path: Path
) -> None:
    """The library is loaded by a Python, RTLD_LOCAL, and a module called sane is not ours."""
    command = [peer("python3"), "-c", "import _sane, PIL"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("peer absent: python3-sane")
    done = subprocess.run(
        [peer("python3"), "-c", HOST],
        env=environment(scanimage.config, beside),
        cwd=tmp_path,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        text=True,
    )
    assert (done.stdout, done.stderr) == (f"8 {157 * 196 * 3} True\n", "")
