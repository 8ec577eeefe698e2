"""What a listing of devices imports: start-up is felt, so nothing may join unnoticed.

The committed list is data/listing_modules.txt; the one to compare with is in the message.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import TREE
from tests.support.load_path import NEVER

EXPECTED = Path(__file__).parent / "data" / "listing_modules.txt"
HEAD = """
import sys
before = set(sys.modules)
sys.path.insert(0, {tree!r})
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
import os
environment = Environment({{"SANE_CONFIG_DIR": {folder!r}}})
registry = registry_for("", Context(environment))
"""
LISTING = """
assert [device.name for device in registry.get_devices()] == ["test:0", "test:1"]
"""
SCAN = """
handle = registry.open("test:0")
handle.descriptor(7)
handle.start()
view = memoryview(bytearray(1 << 20))
while handle.state == 1:
    handle.read(view)
handle.close()
"""
TAIL = """
print("\\n".join(sorted(set(sys.modules) - before)))
"""


def modules_after(code: str, folder: Path) -> set[str]:
    """Return what a new interpreter has imported after *code*, on a configuration with test."""
    (folder / "dll.conf").write_text("test\n")
    program = HEAD.format(tree=str(TREE), folder=str(folder)) + code + TAIL
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_a_listing_imports_what_the_list_says(tmp_path: Path) -> None:
    expected = {
        line for line in EXPECTED.read_text().splitlines() if line and not line.startswith("#")
    }
    compiled = {name for name in modules_after(LISTING, tmp_path) if "cython" in name.lower()}
    added = modules_after(LISTING, tmp_path) - expected - compiled
    assert added == set(), f"a listing now imports more: {sorted(added)}"


def test_the_list_holds_nothing_that_is_gone(tmp_path: Path) -> None:
    expected = {line for line in EXPECTED.read_text().splitlines() if line.startswith("sane")}
    assert expected - modules_after(LISTING, tmp_path) == set()


@pytest.mark.parametrize("code", [LISTING, LISTING + SCAN], ids=["listing", "scan"])
def test_nothing_heavy_is_imported(code: str, tmp_path: Path) -> None:
    assert modules_after(code, tmp_path) & NEVER == set()


def test_importing_the_api_imports_nothing_else(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(TREE)!r}); before = set(sys.modules); import sane"
    command = [sys.executable, "-I", "-S", "-c", code + "; print(*(set(sys.modules) - before))"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert set(done.stdout.split()) <= {"sane", "__future__"}
