"""setup.py stage on a copy of the tree: which compilers a change starts, and what is staged."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests import ROOT
from tests.conftest import PREFIX

pytestmark = pytest.mark.process

SOURCES = ("sane", "backends", "include", "etc", "docs/man", "packaging/building")
FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
STUB = '#!/bin/sh\necho "$0 $*" >> {log}\nexec {compiler} "$@"\n'
# What the build calls: were it told another one, it would compile everything anew.
COMPILERS = {
    shlex.split(os.environ.get("CC") or words)[0]
    for words in ("gcc", sysconfig.get_config_var("CC") or "gcc")
}


class Copy:
    """A copy of the tree with what was built of it; its compilers write down their arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "build" / "prefix"
        self.log = folder / "log"
        for name in SOURCES:
            shutil.copytree(ROOT / name, folder / name, symlinks=True)
        for name in FILES:
            shutil.copy2(ROOT / name, folder / name)
        for name in ("prefix", "prefix-obj"):
            shutil.copytree(PREFIX.with_name(name), folder / "build" / name, symlinks=True)
        (folder / "bin").mkdir()
        for name in COMPILERS:
            stub = folder / "bin" / name
            stub.write_text(STUB.format(log=self.log, compiler=shutil.which(name)))
            stub.chmod(0o755)

    def stage(self) -> subprocess.CompletedProcess[str]:
        """Run the command; what it compiles is in `compiled` afterwards."""
        self.log.write_text("")
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            [sys.executable, "setup.py", "-q", "stage", "--prefix", "build/prefix"],
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    def compiled(self) -> list[str]:
        """Stage; return the names of what the compiler made, objects and libraries."""
        done = self.stage()
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [line.split() for line in self.log.read_text().splitlines()]
        outputs = [line[line.index("-o") + 1] for line in lines if "-o" in line]
        return sorted(Path(output).name.split(".")[0] for output in outputs)

    def staged(self, name: str) -> Path:
        """Return where a file of the package is staged."""
        return self.prefix / "lib" / "pysane" / name


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    if not (PREFIX.with_name("prefix-obj") / "steps.json").exists():
        pytest.fail(f"nothing staged in {PREFIX}: make build")
    copy = Copy(tmp_path_factory.mktemp("tree"))
    copy.compiled()  # the tree may be newer than what is staged
    return copy


def change(path: Path, line: str) -> None:
    path.write_text(f"{path.read_text()}{line}\n")


def test_nothing_is_compiled_when_nothing_changed(copy: Copy) -> None:
    before = copy.staged("sane/scanner.py").stat().st_mtime_ns
    assert copy.compiled() == []
    assert copy.staged("sane/scanner.py").stat().st_mtime_ns == before


def test_a_python_file_is_copied_alone(copy: Copy) -> None:
    change(copy.folder / "sane/scanner.py", "ADDED = 1")
    other = copy.staged("sane/errors.py").stat().st_mtime_ns
    assert copy.compiled() == []
    assert copy.staged("sane/scanner.py").read_text().endswith("ADDED = 1\n")
    assert b"ADDED" in next(copy.staged("sane/__pycache__").glob("scanner.*.pyc")).read_bytes()
    assert copy.staged("sane/errors.py").stat().st_mtime_ns == other


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("sane/spawn.pyx", ["spawn", "spawn"]),
        pytest.param("sane/constraint.py", ["constraint", "constraint"], marks=pytest.mark.long),
        pytest.param("sane/constraint.pxd", ["constraint", "constraint"], marks=pytest.mark.long),
        ("sane/dll/probe.c", ["probe"]),
        ("sane/abi/boot.map", ["boot"]),
    ],
)
def test_a_source_rebuilds_its_module_only(copy: Copy, name: str, outputs: list[str]) -> None:
    path = copy.folder / name
    os.utime(path)
    assert copy.compiled() == outputs
    assert copy.compiled() == []


def test_a_header_rebuilds_what_includes_it(copy: Copy) -> None:
    os.utime(copy.folder / "sane/abi/gate.h")
    compiled = copy.compiled()
    assert "gate" in compiled
    assert "boot" in compiled
    assert "rows" not in compiled
    assert "spawn" not in compiled


def test_files_come_and_go_with_their_sources(copy: Copy) -> None:
    path = copy.folder / "sane/dll/added.py"
    path.write_text('"""A new module."""\n')
    assert copy.compiled() == []
    staged = copy.staged("sane/dll/added.py")
    bytecode = list(copy.staged("sane/dll/__pycache__").glob("added.*"))
    assert staged.exists()
    assert len(bytecode) == 1
    path.unlink()
    assert copy.compiled() == []
    assert not staged.exists()
    assert not bytecode[0].exists()


def test_what_no_build_made_is_removed_from_the_stage(copy: Copy) -> None:
    stray = copy.staged("sane/stray.py")
    stray.write_text("")
    copy.compiled()
    assert not stray.exists()
    assert copy.staged("backends").is_dir()


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("sane/spawn.pyx", "this is no Python", "spawn.pyx"),
        ("sane/dll/probe.c", "this is no C", "probe.c"),
        ("sane/errors.py", "this is no Python", "errors.py"),
    ],
)
def test_a_failed_compile_fails_the_build_and_is_not_remembered(
    copy: Copy, name: str, wrong: str, said: str
) -> None:
    path = copy.folder / name
    good = path.read_text()
    staged = {p: p.stat().st_mtime_ns for p in copy.prefix.rglob("*") if p.is_file()}
    change(path, wrong)
    for _ in range(2):
        done = copy.stage()
        assert done.returncode != 0
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert {p: p.stat().st_mtime_ns for p in copy.prefix.rglob("*") if p.is_file()} == staged
    path.write_text(good)
    copy.compiled()
    assert copy.compiled() == []
