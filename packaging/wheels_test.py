"""make test-wheels: the tests against each wheel as pip installs it, far from the source tree.

Each wheel of build/wheels gets a virtual environment of its Python and a folder with the tests
and what they read, but neither sane/ nor backends/: what is imported is what was installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from wheels import FOLDER, ROOT, find_python, output, run

TREE = ("tests", "bench", "docs", "etc", "include", "packaging", ".ci")
FILES = ("pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "LICENSE")
# What compares the source tree with itself or with what is built of it.
OF_THE_TREE = (
    *("tests/test_source.py", "tests/test_build.py", "tests/building"),
    *("tests/website", "tests/saned"),
)
OF_THE_WHEEL = "tests/building/test_wheel.py"
NEEDS = (
    *("pytest>=8", "pytest-xdist>=3.7", "cffi>=1.15", "hypothesis>=6", "jeepney>=0.8"),
    *("jsonschema>=4", "pipx>=1.2", "httpx"),
)


def prepare(wheel: Path, version: str) -> tuple[Path, Path]:
    """Install a wheel in a fresh environment; return its Python and the folder of the tests."""
    folder = FOLDER / version
    python = folder / "test-venv" / "bin" / "python"
    shutil.rmtree(folder / "test-venv", ignore_errors=True)
    run(find_python(version), "-m", "venv", folder / "test-venv")
    pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
    run(*pip, f"{wheel}[cli,images,pages,web]", *NEEDS)
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for name in TREE:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tree)
    return python, tree


def test(wheel: Path, jobs: str) -> bool:
    """Run the tests against one wheel; tell whether they passed."""
    tag = wheel.name.split("-")[2]
    version = f"{tag[2]}.{tag[3:]}"
    python, tree = prepare(wheel, version)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = output(python, "-I", "-c", code)
    environment = {
        **os.environ,
        "SANE_TEST_TREE": site,
        "SANE_TEST_PREFIX": f"{site}/sane",
        "SANE_TEST_WHEEL": str(wheel),
    }
    pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    unit = [*pytest, "-n", jobs, "--dist", "loadfile", "--no-loadscope-reorder", "tests"]
    unit += ["-m", "not (process or vm or long)", *(f"--ignore={name}" for name in OF_THE_TREE)]
    good = True
    for command in (unit, [*pytest, "-m", "", OF_THE_WHEEL]):
        print(f"{wheel.name}: {' '.join(map(str, command[1:]))}", flush=True)
        done = subprocess.run(command, cwd=tree, env=environment, check=False)
        good = good and done.returncode == 0
    return good


def main() -> int:
    """Run the program; return 1 if there is no wheel or a test failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("wheels", nargs="*", type=Path)
    parser.add_argument("--jobs", default="auto")
    options = parser.parse_args()
    wheels = options.wheels or sorted(FOLDER.glob("*.whl"))
    if not wheels:
        print("no wheel in build/wheels: make wheels")
    results = [test(wheel.resolve(), options.jobs) for wheel in wheels]
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
