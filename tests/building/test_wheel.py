"""A wheel as pip installs it: its programs, its libraries, and what it says when something lacks.

SANE_TEST_WHEEL names the wheel; make test-wheels runs this for each.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import ROOT, cc
from tests.conftest import ABSENT

WHEEL = Path(os.environ.get("SANE_TEST_WHEEL") or "")
MACHINE = (b"/root/", b"/home/", b"/tmp/", b"/work/", b".pyenv", b"/project/", b"/opt/_internal/")
NO_FOLDER = "/proc/no/folder"
OPENER = """
#include <sane/sane.h>
#include <stdio.h>

int
main(void)
{
  SANE_Int version = 0, count = 0;
  SANE_Handle handle;
  SANE_Status status = sane_init(&version, NULL);

  if (status == SANE_STATUS_GOOD)
    status = sane_open("test:0", &handle);
  if (status == SANE_STATUS_GOOD)
    status = sane_control_option(handle, 0, SANE_ACTION_GET_VALUE, &count, NULL);
  printf("%s, more than ten options: %d\\n", (const char *)sane_strstatus(status), count > 10);
  sane_exit();
  return 0;
}
"""

pytestmark = [
    pytest.mark.process,
    pytest.mark.long,
    pytest.mark.skipif(not WHEEL.name, reason="no SANE_TEST_WHEEL: make test-wheels"),
]


class Installed:
    """The wheel in a virtual environment of its own; programs run with a config folder."""

    def __init__(self, folder: Path, config_dir: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        (self.site,) = (folder / "lib").glob("python*/site-packages")
        self.environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
            "SANE_CONFIG_DIR": str(config_dir),
        }

    def run(self, *command: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program far from the tree."""
        return subprocess.run(
            [str(word) for word in command],
            env={**self.environment, **more},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def scanimage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the system's scanimage on the wheel's library."""
        if shutil.which("scanimage") is None:
            pytest.skip(f"{ABSENT}scanimage")
        library = str(self.site / "sane" / "lib")
        return self.run("scanimage", *arguments, LD_LIBRARY_PATH=library, **more)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = (str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check")
    subprocess.run([*pip, f"{WHEEL}[cli]"], check=True, capture_output=True)
    return folder


@pytest.fixture
def wheel(environment: Path, config_dir: Path) -> Installed:
    return Installed(environment, config_dir)


def test_what_is_in_it_refers_to_no_folder_of_the_machine_that_built_it() -> None:
    wrong = []
    with zipfile.ZipFile(WHEEL) as archive:
        for name in archive.namelist():
            if not name.endswith((".py", "/METADATA", "/RECORD", ".json")):
                data = archive.read(name)
                wrong += [(name, word) for word in MACHINE if word in data]
    assert wrong == []


def test_no_library_has_a_run_path_outside_the_wheel(wheel: Installed) -> None:
    if shutil.which("readelf") is None:
        pytest.skip(f"{ABSENT}readelf")
    libraries = [*wheel.site.glob("sane/**/*.so*"), *wheel.site.glob("sane_stack.libs/*")]
    assert len(libraries) > 20
    for path in libraries:
        said = wheel.run("readelf", "-d", path).stdout
        paths = [line.split("[")[1] for line in said.splitlines() if "PATH)" in line]
        assert [path for path in paths if not path.startswith("$ORIGIN/")] == []
        assert "libpython" not in said


def test_it_holds_libjpeg_turbo_and_its_licence() -> None:
    with zipfile.ZipFile(WHEEL) as archive:
        names = archive.namelist()
        (library,) = (name for name in names if name.startswith("sane_stack.libs/libjpeg"))
        assert b"libjpeg-turbo" in archive.read(library)
        mode = archive.getinfo("sane/lib/pysane/probe").external_attr >> 16
    assert any(name.endswith("licenses/libjpeg-turbo.txt") for name in names)
    assert any(name.endswith("/share/man/man1/pysane.1") for name in names)
    assert not [name for name in names if "libusb" in name and ".so" in name]
    assert mode & stat.S_IXUSR


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pysane list", "test:0"),
        ("pysane-scan -L", "test:0"),
        ("pysane-scanimage -L", "test:0"),
        ("sane-find-scanner -h", "Usage: sane-find-scanner"),
        ("saned --help", "Usage: saned"),
        ("pysane scan -d test:0 -o /dev/stdout --format png", "PNG"),
    ],
)
def test_each_program_runs(wheel: Installed, command: str, words: str) -> None:
    name, *arguments = command.split()
    done = subprocess.run(
        [wheel.programs / name, *arguments],
        env=wheel.environment,
        cwd="/",
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert words in (done.stdout + done.stderr).decode("utf-8", "replace")
    assert (done.returncode, done.stderr if done.stdout else b"") == (0, b"")


def test_a_c_program_scans_through_the_library(wheel: Installed, tmp_path: Path) -> None:
    listed = wheel.scanimage("-L")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "test:0" in listed.stdout
    page = tmp_path / "page.pnm"
    done = wheel.scanimage("-d", "test:0", "--format=pnm", f"--output-file={page}")
    assert done.returncode == 0, done.stderr
    assert page.read_bytes().startswith(b"P5")


def test_a_program_linked_with_lsane_opens_a_device(wheel: Installed, tmp_path: Path) -> None:
    """Linked as with the distribution's development files, started as docs/install.md says."""
    (tmp_path / "libsane.so").symlink_to(wheel.site / "sane" / "lib" / "libsane.so.1")
    flags = (f"-I{cc.INCLUDE}", f"-L{tmp_path}", "-lsane")
    program = cc.compile_program(OPENER, tmp_path / "opener", *flags)
    code = "import sane, os; print(os.path.dirname(sane.__file__))"
    package = wheel.run(wheel.programs / "python", "-c", code).stdout.strip()
    done = wheel.run(program, LD_LIBRARY_PATH=f"{package}/lib")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Success, more than ten options: 1\n"


def test_the_python_api_scans(wheel: Installed) -> None:
    code = "import sane; print(sane.Scanner('test:0').scan().array.shape)"
    done = wheel.run(wheel.programs / "python", "-c", code)
    assert done.stdout == "(196, 157)\n", done.stderr


def test_run_by_pipx(tmp_path: Path) -> None:
    pipx = (sys.executable, "-m", "pipx")
    if subprocess.run([*pipx, "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"{ABSENT}pipx")
    done = subprocess.run(
        [*pipx, "run", "--spec", WHEEL, "sane-stack", "--version"],
        env={**os.environ, "PIPX_HOME": str(tmp_path), "PIPX_DEFAULT_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("pysane "), done.stderr


# What lacks or is in the way


@pytest.mark.parametrize("other", ["sane.py", "sane/__init__.py"])
def test_programs_are_not_led_astray_by_another_module_sane(
    wheel: Installed, tmp_path: Path, other: str
) -> None:
    path = tmp_path / "other" / other
    path.parent.mkdir(parents=True)
    path.write_text("raise SystemExit('the other')\n")
    settings = {"PYTHONPATH": str(tmp_path / "other")}
    done = wheel.run(wheel.programs / "pysane", "list", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert "test:0" in done.stdout
    doctor = (wheel.programs / "pysane", "doctor", "--json", "--no-mask")
    told = wheel.run(*doctor, **settings)
    assert f"import sane gives another module, {path}, and not PySANE" in told.stdout


def test_a_package_that_is_gone_is_told_with_the_remedy(wheel: Installed, tmp_path: Path) -> None:
    shutil.copytree(wheel.site / "_pysane_programs", tmp_path / "_pysane_programs")
    code = "import _pysane_programs; raise SystemExit(_pysane_programs.pysane())"
    done = wheel.run(wheel.programs / "python", "-c", code, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"PySANE's package is not in {tmp_path} any more: "
        "python3 -m pip install --force-reinstall sane-stack\n"
    )


def test_without_libusb_one_sentence_says_what_to_install(wheel: Installed) -> None:
    code = (
        "from sane.usb import libusb\n"
        "libusb.LIBRARY = 'libusb-of-nowhere.so.0'\n"
        "try: libusb.new_context()\n"
        "except Exception as exc: print(exc)\n"
    )
    done = wheel.run(wheel.programs / "python", "-c", code)
    assert done.stdout == (
        "USB devices need libusb, and libusb-of-nowhere.so.0 cannot be loaded: install "
        "libusb-1.0-0 (Debian, Ubuntu) or libusb1 (Fedora)\n"
    )


def test_another_pythons_wheel_is_refused_by_pip(tmp_path: Path) -> None:
    major, minor = sys.version_info[:2]
    other = tmp_path / WHEEL.name.replace(f"cp{major}{minor}", f"cp{major}{minor - 1}")
    shutil.copy(WHEEL, other)
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(tmp_path))
    done = subprocess.run([*pip, str(other)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not a supported wheel on this platform" in done.stderr


def test_a_home_that_cannot_be_written_to_does_not_matter(wheel: Installed) -> None:
    for home in (NO_FOLDER, "/sys"):
        done = wheel.run(wheel.programs / "pysane", "list", HOME=home)
        assert (done.returncode, done.stderr) == (0, "")
        assert "test:0" in done.stdout


def test_the_tree_is_not_what_is_tested(wheel: Installed) -> None:
    assert not (ROOT / "sane").exists()
    code = "import sane, _sane; print(sane.__file__, _sane.__file__)"
    done = wheel.run(wheel.programs / "python", "-c", code)
    assert all(path.startswith(str(wheel.site)) for path in done.stdout.split())
