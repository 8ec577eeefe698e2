"""pysane doctor, installation: libraries, packages and configuration files, as they are found."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sane.cli.doctor.finding import FAULT, OK, WARNING
from sane.cli.doctor.installation import LDCONFIG, Libsane, is_compiled
from sane.cli.doctor.packages import install
from tests import TREE, cc
from tests.conftest import ABSENT, PREFIX
from tests.support.doctor import Place

OURS, THEIRS = 'const char place[] = "%s/pysane.runtime";', "int sane_init(void) { return 0; }"


def library(place: Place, folder: str, source: str) -> str:
    """Build a libsane.so.1 in *folder* of the machine; return the folder."""
    path = place.root / folder[1:]
    path.mkdir(parents=True)
    options = ("-shared", "-fPIC", "-Wl,-soname,libsane.so.1")
    cc.compile_program(source, path / "libsane.so.1", *options)
    return folder


def cache(place: Place, *folders: str) -> None:
    """Let the linker know the libraries of *folders*, in this order."""
    place.write("etc/ld.so.conf", "".join(f"{folder}\n" for folder in folders))
    ldconfig = next(path for path in LDCONFIG if os.path.exists(path))
    if os.geteuid():
        pytest.skip(f"{ABSENT}root, in whose name ldconfig changes the root folder")
    subprocess.run([ldconfig, "-X", "-r", str(place.root)], check=True)


def test_the_distributions_library_is_used_alone(tmp_path: Path) -> None:
    place = Place(tmp_path)
    folder = library(place, "/opt/lib", THEIRS)
    cache(place, folder)
    level, text, _ = place.one("installation.library")
    assert level == OK
    assert text.startswith(
        f"C programs such as scanimage use the distribution's libsane, {folder}/libsane.so.1; "
    )


def test_our_library_is_used(tmp_path: Path) -> None:
    place = Place(tmp_path)
    folder = library(place, "/opt/lib", OURS)
    cache(place, folder)
    text = f"C programs such as scanimage use PySANE's libsane, {folder}/libsane.so.1."
    assert place.one("installation.library") == (OK, text, "")


@pytest.mark.parametrize("inside", [True, False])
def test_our_library_is_where_the_linker_does_not_look(tmp_path: Path, inside: bool) -> None:
    """Of a wheel, inside the package; of make install, beside pysane/sane."""
    place = Place(tmp_path)
    cache(place)
    folder = place.package / "lib" if inside else place.package.parent.parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libsane.so.1").write_text("")
    level, text, command = place.one("installation.library")
    assert level == WARNING
    assert text == (
        "C programs such as scanimage find no libsane.so.1; "
        f"PySANE's is in {folder}, where the linker does not look."
    )
    assert command.startswith(f"echo {folder} | sudo tee -a /etc/ld.so.conf.d/00-pysane.conf")


def test_our_library_comes_second(tmp_path: Path) -> None:
    place = Place(tmp_path)
    theirs, ours = library(place, "/opt/one", THEIRS), library(place, "/opt/two", OURS)
    cache(place, theirs, ours)
    level, text, command = place.one("installation.library")
    assert level == WARNING
    assert text == (
        f"C programs such as scanimage use the distribution's libsane, {theirs}/libsane.so.1, "
        f"not PySANE's in {ours}."
    )
    assert command == (
        f"echo {ours} | sudo tee -a /etc/ld.so.conf.d/00-pysane.conf && sudo ldconfig"
    )


def test_the_distributions_library_offers_our_drivers(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="test\n")
    theirs, ours = library(place, "/opt/one", THEIRS), library(place, "/opt/two", OURS)
    cache(place, theirs, ours)
    place.configure("dll.d/pysane", "pysane\n")
    assert place.one("installation.library")[0] == WARNING  # the C backend is not there
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libsane-pysane.so.1").write_text("")
    place.variables["LD_LIBRARY_PATH"] = str(tmp_path / "lib")
    level, text, _ = place.one("installation.library")
    assert level == OK
    assert text.endswith("which offers PySANE's drivers, too (backend pysane).")


def test_ld_library_path_goes_before_the_cache(tmp_path: Path) -> None:
    place = Place(tmp_path)
    theirs, ours = library(place, "/opt/one", THEIRS), library(place, "/opt/two", OURS)
    cache(place, theirs)
    place.variables["LD_LIBRARY_PATH"] = f"/nonexistent:{ours}"
    level, text, _ = place.one("installation.library")
    assert level == OK
    assert text.endswith(f"use PySANE's libsane, {ours}/libsane.so.1, by LD_LIBRARY_PATH.")


def test_no_library_at_all(tmp_path: Path) -> None:
    place = Place(tmp_path)
    cache(place)
    level, text, command = place.one("installation.library")
    assert level == WARNING
    assert text.startswith("C programs such as scanimage find no libsane.so.1")
    assert command == "sudo apt install libsane1"


def test_a_library_that_is_there_twice(tmp_path: Path) -> None:
    place = Place(tmp_path)
    one = library(place, "/opt/one", OURS)
    two = "/opt/two"
    shutil.copytree(place.root / one[1:], place.root / two[1:])
    cache(place, one, two)
    level, text, command = place.one("installation.copies")
    assert level == WARNING
    assert text == (
        f"There are 2 copies of PySANE's libsane, {one}/libsane.so.1; not used: {two}/libsane.so.1."
    )
    assert command == f"ls -l {one}/libsane.so.1 {two}/libsane.so.1"


def test_the_same_file_by_two_names_is_one_copy(tmp_path: Path) -> None:
    place = Place(tmp_path)
    one = library(place, "/opt/one", THEIRS)
    (place.root / "opt/two").symlink_to("one")
    cache(place, one, "/opt/two")
    assert place.one("installation.copies")[0] == OK


def test_a_second_copy_of_the_package(tmp_path: Path) -> None:
    place = Place(tmp_path)
    cache(place, library(place, "/opt/lib", THEIRS))
    other = tmp_path / "other" / "sane"
    other.mkdir(parents=True)
    shutil.copy(TREE / "sane" / "__init__.py", other)
    place.variables["PYTHONPATH"] = str(other.parent)
    level, text, _ = place.one("installation.copies")
    assert level == WARNING
    assert text.startswith("There are 2 copies of the Python package of PySANE; ")
    assert str(other) in text


@pytest.mark.parametrize("is_first", [True, False])
def test_python_sane_beside_us(tmp_path: Path, is_first: bool) -> None:
    place = Place(tmp_path)
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    (ours / "sane").mkdir(parents=True)
    shutil.copy(TREE / "sane" / "__init__.py", ours / "sane")
    theirs.mkdir()
    (theirs / "sane.py").write_text("")
    (theirs / "_sane.cpython-311-x86_64-linux-gnu.so").write_text("")
    path = [theirs, ours] if is_first else [ours, theirs]
    place.variables["PYTHONPATH"] = ":".join(map(str, path))
    level, text, command = place.one("installation.python-sane")
    if is_first:
        assert level == WARNING
        assert text == f"import sane gives python-sane, in {theirs}, and not PySANE."
        assert command.startswith("export PYTHONPATH=")
    else:
        assert level == OK
        assert text == f"python-sane is in {theirs} as well; import sane gives PySANE."


@pytest.mark.parametrize("name", ["sane.py", "sane/__init__.py"])
def test_another_module_of_that_name(tmp_path: Path, name: str) -> None:
    place = Place(tmp_path)
    other = tmp_path / "others" / name
    other.parent.mkdir(parents=True)
    other.write_text("")
    place.variables["PYTHONPATH"] = str(tmp_path / "others")
    level, text, command = place.one("installation.python-sane")
    assert level == WARNING
    assert text == f"import sane gives another module, {other}, and not PySANE."
    assert command == f"export PYTHONPATH={place.package.parent}"


def test_versions_are_told(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("etc/os-release", 'NAME="Acme"\nPRETTY_NAME="Acme Linux 9"\n')
    place.program("scanimage", 'echo "scanimage (sane-backends) 1.2.1; backend version 1.2.1"')
    level, text, _ = place.one("installation.versions")
    assert level == OK
    assert text.startswith("PySANE ")
    assert ", Acme Linux 9, " in text
    assert text.endswith("; scanimage (sane-backends) 1.2.1; backend version 1.2.1.")


# Where the configuration is


@pytest.mark.parametrize(
    ("value", "level", "text"),
    [
        ("{folder}:", OK, "SANE_CONFIG_DIR is set to {folder}:; /etc/sane.d is read after it."),
        (
            "{folder}",
            WARNING,
            "SANE_CONFIG_DIR is set to {folder}: programs started from here do not read "
            "/etc/sane.d.",
        ),
        (
            "/nonexistent/sane.d",
            FAULT,
            "SANE_CONFIG_DIR is set to /nonexistent/sane.d, but there is no folder "
            "/nonexistent/sane.d.",
        ),
    ],
)
def test_sane_config_dir(tmp_path: Path, value: str, level: str, text: str) -> None:
    place = Place(tmp_path)
    folder = str(place.config)
    place.variables["SANE_CONFIG_DIR"] = value.format(folder=folder)
    found, said, command = place.one("installation.folders")
    assert (found, said) == (level, text.format(folder=folder))
    assert command == ("" if level == OK else "unset SANE_CONFIG_DIR")


def test_no_folder_of_configuration_where_a_wheel_is_installed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    del place.variables["SANE_CONFIG_DIR"]
    own = place.package / "lib" / "pysane" / "dll.conf"
    own.parent.mkdir(parents=True)
    own.write_text("test\n")
    level, text, _ = place.one("installation.folders")
    assert level == OK
    assert text == "There is no folder /etc/sane.d: PySANE uses all its drivers, as they are."


def test_no_folder_of_configuration(tmp_path: Path) -> None:
    place = Place(tmp_path)
    del place.variables["SANE_CONFIG_DIR"]
    assert place.one("installation.folders")[:2] == (
        FAULT,
        "There is no folder /etc/sane.d: no backend is configured.",
    )
    place.write("etc/sane.d/dll.conf")
    assert place.one("installation.folders")[0] == OK


# What is in it


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("escl.conf", "http://127.0.0.1\nhtps prefer\n", "'htps prefer' is not understood"),
        ("escl.conf", "\nhttp://127.0.0.1 tls-mni=1.0\n", "'tls-mni=1.0'"),
        ("epson2.conf", "usb auto\nusb 0x04b8 0x99999\n", "usb ids are 0 to 0xffff"),
        ("net.conf", "localhost\nconect_timeout = 3\n", "not understood"),
        ("saned.conf", "#\ndata_portrnage = 1 - 2\n", "unknown setting 'data_portrnage'"),
        ("saned.users", "\nnobody\n", "not USER:PASSWORD:BACKEND"),
        ("pysane.conf", "\nlist-tmieout 3\n", "there is no list-tmieout"),
        ("dll.aliases", "\nalais x y\n", "not an alias"),
    ],
)
def test_a_line_that_nobody_understands(tmp_path: Path, file: str, text: str, reason: str) -> None:
    place = Place(tmp_path, dll="net\nescl\nepson2\n")
    path = place.configure(file, text)
    level, said, command = place.one("installation.files")
    assert level == WARNING
    assert said.startswith(f"{path}, line 2, is not understood and does nothing: ")
    assert reason in said
    assert command.endswith(str(path))


def test_files_without_a_mistake(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="net\nescl\nepson2\n", epson2="scsi EPSON SC\nusb auto\n")
    assert place.one("installation.files")[0] == OK


def test_a_backend_that_is_misspelt(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="test\nepsn2\n")
    file = place.config / "dll.conf"
    level, text, command = place.one("installation.backends")
    assert level == WARNING
    assert text == (
        f"{file}, line 2, names the backend epsn2, which is not installed: is epson2 meant?"
    )
    subprocess.run(command.removeprefix("sudo "), shell=True, check=True)
    assert file.read_text() == "test\nepson2\n"
    assert place.one("installation.backends") == (
        OK,
        "All 2 backends in dll.conf are installed.",
        "",
    )


def test_a_backend_of_dll_d_that_is_not_installed(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="test\n")
    file = place.configure("dll.d/acme", "acmescan\n")
    level, text, command = place.one("installation.backends")
    assert level == WARNING
    assert text == f"{file}, line 1, names the backend acmescan, which is not installed."
    subprocess.run(command.removeprefix("sudo "), shell=True, check=True)
    assert file.read_text() == "#acmescan\n"
    assert place.one("installation.backends")[0] == OK


def test_the_backends_of_a_package_that_is_not_installed(tmp_path: Path) -> None:
    names = [f"acme{letter}" for letter in "abcdefghij"]
    place = Place(tmp_path, dll="".join(f"{name}\n" for name in names))
    level, text, command = place.one("installation.backends")
    assert level == WARNING
    assert text.startswith("dll.conf names 10 backends that are not installed: ")
    assert command == "sudo apt install libsane1"


def test_no_backend_at_all(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="# nothing\n")
    file = place.config / "dll.conf"
    assert place.one("installation.backends")[:2] == (
        FAULT,
        f"{file} names no backend: no scanner can be found.",
    )
    file.unlink()
    level, text, command = place.one("installation.backends")
    assert (level, text) == (FAULT, "There is no dll.conf: no scanner can be found.")
    assert command == "echo escl | sudo tee -a /etc/sane.d/dll.conf"


def test_a_backend_with_a_mistake(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="broken_driver\n")
    folder = tmp_path / "drivers"
    folder.mkdir()
    (folder / "broken_driver.py").write_text("import no_such_module\n")
    place.variables["PYSANE_BACKEND_PATH"] = str(folder)
    level, text, _ = place.one("installation.backends")
    assert level == FAULT
    assert text == (
        "Backend broken_driver is there, but cannot be loaded: ModuleNotFoundError: "
        "No module named 'no_such_module'."
    )


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=debian\n", "sudo apt install libsane1"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt install libsane1"),
        ("ID=fedora\n", "sudo dnf install sane-backends"),
        ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S sane"),
        ('ID="opensuse-tumbleweed"\n', "sudo zypper install sane-backends"),
        ("ID=other\n", "sudo apt install libsane1"),
    ],
)
def test_packages_of_distributions(tmp_path: Path, release: str, command: str) -> None:
    place = Place(tmp_path)
    place.write("etc/os-release", release)
    assert install(place.machine(), "libsane1") == command
    assert install(place.machine(), "ipp-usb") == command.replace(
        command.rsplit(maxsplit=1)[-1], "ipp-usb"
    )


def test_a_c_backend_without_compiled_modules(tmp_path: Path) -> None:
    if is_compiled():
        pytest.skip("this tree is compiled")
    place = Place(tmp_path, dll="test\nacme\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libsane-acme.so.1").write_text("")
    place.variables["LD_LIBRARY_PATH"] = str(tmp_path / "lib")
    level, text, _ = place.one("installation.backends")
    assert level == WARNING
    assert text.endswith(
        "cannot use the C backends in dll.conf, since PySANE is not compiled: acme."
    )


@pytest.mark.process
def test_our_library_is_known_when_a_package_has_stripped_it(tmp_path: Path) -> None:
    place = Place(tmp_path)
    path = place.root / "libsane.so.1"
    subprocess.run(["strip", "-o", path, PREFIX / "lib" / "libsane.so.1"], check=True)
    assert Libsane(place.machine(), "/libsane.so.1", True).is_ours
