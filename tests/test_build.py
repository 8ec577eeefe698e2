"""What cannot be built is refused at once, with the reason."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from building.runtime import shared_libpython, wheel_text

from tests import ROOT, cc
from tests.support.other_pythons import other_python

MAKE_SETS = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # for its own children

SETUP = """
import runpy, sys, sysconfig
sysconfig.get_config_vars()["Py_GIL_DISABLED"] = 1
sys.argv = ["setup.py", "stage"]
runpy.run_path("setup.py", run_name="__main__")
"""


def test_a_free_threaded_python_is_refused_by_setup() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SETUP], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{sys.executable} is a free-threaded Python, PySANE needs one with the GIL: choose "
        "another, as in make PYTHON=python3.13\n"
    )


@pytest.mark.parametrize("version", ["3.8", "3.9"])
def test_a_python_that_is_too_old_is_refused_with_the_remedy(version: str) -> None:
    python = other_python(version)
    done = subprocess.run(
        [python, "setup.py", "stage"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        rf"\S+ is Python {version}\.\d+, PySANE needs 3\.10 or newer: choose another, as in "
        r"make PYTHON=python3\.11\n",
        done.stderr,
    )


@pytest.mark.parametrize("version", ["2.7", "3.8", "3.9", "none"])
def test_make_refuses_a_python_that_is_too_old_or_missing(version: str) -> None:
    python = "/nonexistent/python3" if version == "none" else str(other_python(version))
    done = subprocess.run(
        ["make", "-n", "build", f"PYTHON={python}"],
        env={name: os.environ[name] for name in os.environ.keys() - MAKE_SETS},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        rf"Makefile:\d+: \*\*\* {python} is missing or too old, PySANE needs 3\.10 or newer: "
        r"choose another, as in make PYTHON=python3\.11\.  Stop\.\n",
        done.stderr,
    )


def needs(*lines: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run packaging/packages.py for what building needs, with *lines* of Python before."""
    code = "\n".join(("import sys; sys.path.insert(0, 'packaging'); import packages", *lines))
    code += "\nsys.argv = ['packages.py', '--apt=no', 'build']; sys.exit(packages.main())"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_names_the_package_of_a_missing_compiler() -> None:
    done = needs(PATH="/nonexistent")
    assert (done.returncode, done.stderr) == (1, "")
    pattern = r"missing: gcc[^;]*; to install: sudo apt-get .*--no-install-recommends gcc.*\n"
    assert re.fullmatch(pattern, done.stdout)


def test_make_says_what_helps_a_python_without_a_shared_libpython() -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    missing = f"packages.NEEDS['build'] = [('libpython{version}', False)]"
    done = needs(missing, "packages.IS_DEBIAN_PYTHON = False")
    assert (done.returncode, done.stdout) == (
        1,
        f"{sys.executable}: Python {version} lacks its headers, venv or shared libpython; build it "
        "with --enable-shared, or use the system's: make PYTHON=/usr/bin/python3\n",
    )
    done = needs(missing, "packages.IS_DEBIAN_PYTHON = True")
    assert done.returncode == 1
    assert done.stdout.startswith(f"missing: libpython{version}; to install: sudo apt-get ")


def test_no_compiler_is_told_with_the_remedy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'packaging'); from pathlib import Path; "
        "from building.toolchain import Toolchain; Toolchain(Path(sys.argv[1])).run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "CC": "/nonexistent/cc -O2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "no C compiler: /nonexistent/cc -O2: No such file or directory; install gcc and libc6-dev, "
        "or take a wheel, which needs none: pip install --only-binary sane-stack sane-stack\n"
    )


def test_no_shared_libpython_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """By make build; a wheel is built all the same."""
    monkeypatch.setitem(sysconfig.get_config_vars(), "INSTSONAME", "libpython.a")
    monkeypatch.setitem(sysconfig.get_config_vars(), "LIBDIR", "/nonexistent")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with pytest.raises(SystemExit) as refused:
        shared_libpython()
    assert str(refused.value) == (
        f"this Python {version} has no shared libpython: install libpython{version} (apt), or "
        "choose another with make PYTHON=..., or build it with --enable-shared"
    )
    assert "libpython=" not in wheel_text()


def test_a_free_threaded_python_is_refused_by_the_compiler() -> None:
    boot = (ROOT / "sane" / "abi" / "boot.c").read_text()
    flags = [f"-I{path}" for path in (cc.INCLUDE, ROOT / "sane/abi", sysconfig.get_path("include"))]
    with pytest.raises(RuntimeError, match="PySANE needs a Python with the GIL"):
        cc.preprocess(boot, "-DPy_GIL_DISABLED", *flags)


def test_our_sources_agree_with_the_settings_of_python_310(tmp_path: Path) -> None:
    """Its headers define _GNU_SOURCE without asking whether it is defined."""
    (tmp_path / "Python.h").write_text("#define _GNU_SOURCE 1\n")
    flags = (f"-I{tmp_path}", f"-I{cc.INCLUDE}", f"-I{ROOT / 'sane/abi'}", "-Werror")
    sources = [path.read_text() for path in sorted((ROOT / "sane" / "abi").glob("*.c"))]
    of_python = [text for text in sources if "#include <Python.h>" in text]
    assert of_python
    for text in of_python:
        cc.preprocess(text, *flags)
