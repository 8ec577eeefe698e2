"""Debian packages: which file goes where, what is written for dpkg. make test-deb installs them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from debs import archive
from debs.parts import PACKAGES, package_of

from tests import ROOT
from tests.conftest import ABSENT, PREFIX

TEMPLATES = ROOT / "packaging" / "debian"
PYTHON = "usr/lib/pysane/lib/pysane/sane"


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("usr/lib/pysane/lib/libsane.so.1", "libsane-pysane"),
        ("usr/lib/x86_64-linux-gnu/sane/libsane-pysane.so.1", "libsane-pysane"),
        ("usr/lib/udev/rules.d/60-pysane.rules", "libsane-pysane"),
        ("usr/share/metainfo/org.pypi.sane_stack.metainfo.xml", "libsane-pysane"),
        ("usr/share/man/man5/sane-escl.5pysane.gz", "libsane-pysane"),
        ("etc/ld.so.conf.d/00-pysane.conf", "libsane-pysane"),
        (f"{PYTHON}/image/rows.py", "python3-pysane"),
        ("usr/lib/pysane/libexec/pysane/probe", "python3-pysane"),
        ("usr/lib/python3/dist-packages/sane", "python3-pysane"),
        ("usr/bin/pysane", "pysane-utils"),
        ("usr/lib/systemd/system/pysane-saned.socket", "pysane-utils"),
        ("usr/share/man/man8/saned.8pysane.gz", "pysane-utils"),
        (f"{PYTHON}/web/server.py", "pysane-share"),
        ("usr/lib/systemd/system/pysane-share.service", "pysane-share"),
        ("usr/share/man/man8/pysane-share.8.gz", "pysane-share"),
        ("etc/sane.d/pysane-share.toml", "pysane-share"),
    ],
)
def test_each_file_has_its_package(path: str, package: str) -> None:
    assert package_of(path) == package


def test_a_file_without_a_package_ends_the_build() -> None:
    with pytest.raises(SystemExit, match=r"no package takes opt/x: packaging/debs/parts\.py has"):
        package_of("opt/x")


def test_each_staged_file_has_a_package() -> None:
    if not (PREFIX / "lib").exists():
        pytest.skip(f"{ABSENT}a staged prefix")
    for path in PREFIX.rglob("*"):
        name = path.relative_to(PREFIX)
        if path.is_file() and name.parts[0] != "etc":
            assert package_of(f"usr/lib/pysane/{name}") in PACKAGES


@pytest.mark.parametrize("name", PACKAGES)
def test_each_package_is_described(name: str) -> None:
    (text,) = re.findall(
        rf"^Package: {name}\n.*?(?:\n\n|\Z)", (TEMPLATES / "control").read_text(), re.M | re.S
    )
    assert "\nArchitecture: " in text
    assert "\nDescription: " in text
    assert max(len(line) for line in text.split("Description: ")[1].splitlines()[1:]) <= 80
    words = set(re.findall(r"@(\w+)@", text))
    assert words <= {"VERSION", "PYTHON", "NEXT", "BREAKS", "LIBRARIES", "WEB"}
    assert (TEMPLATES / "overrides" / name).exists()


def test_the_packages_follow_the_one_that_held_all() -> None:
    assert archive.version().endswith("-1")
    assert archive.BREAKS == "Breaks: pysane (<< 0.1.0-1~)\nReplaces: pysane (<< 0.1.0-1~)"
    lines = archive.debian_changes().splitlines()
    assert lines[0] == f"pysane ({archive.version()}) unstable; urgency=medium"


def test_the_server_depends_on_what_its_extra_says() -> None:
    names = archive.web_packages()
    assert "python3-argon2" in names  # argon2-cffi at PyPI
    assert "python3-starlette" in names
    assert "python3-tomli" not in names  # for an older Python than Debian's


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("python3-pysane", "", {"postinst", "prerm"}),
        ("pysane-share", "pysane-share.service", {"postinst", "prerm", "postrm"}),
        ("pysane-utils", "pysane-saned.socket", {"postinst", "prerm", "postrm"}),
        ("libsane-pysane", "", set()),
    ],
)
def test_maintainer_scripts_are_complete_shell(
    tmp_path: Path, name: str, unit: str, expected: set[str]
) -> None:
    package = archive.Archive(name, tmp_path)
    package.control.mkdir()
    if unit:
        folder = tmp_path / "usr/lib/systemd/system"
        folder.mkdir(parents=True)
        (folder / unit).touch()
    package._scripts()
    found = {path.name: path.read_text() for path in package.control.iterdir()}
    assert set(found) == expected
    for script, text in found.items():
        assert text.startswith("#!/bin/sh\nset -e\n")
        assert "@" not in text
        subprocess.run(["sh", "-n", package.control / script], check=True)
    assert all(unit in text for script, text in found.items() if script == "postrm")


def test_all_packages_with_files_come_after_the_one_that_held_them() -> None:
    paragraphs = (TEMPLATES / "control").read_text().split("\n\n")
    named = [text for text in paragraphs if "@BREAKS@" in text]
    assert [text.split()[1] for text in named] == [name for name in PACKAGES if name != "pysane"]


def test_services_are_started_anew_and_their_links_purged() -> None:
    scripts = TEMPLATES / "scripts"
    after = (scripts / "unit.postinst").read_text()
    assert "deb-systemd-helper update-state @UNITS@" in after
    assert "deb-systemd-invoke try-restart @UNITS@" in after
    assert "rm -rf /var/lib/pysane-share" in (scripts / "pysane-share.postrm").read_text()


def test_a_container_is_not_built_from_what_was_built_here() -> None:
    assert "build" in (ROOT / ".dockerignore").read_text().splitlines()
