"""What saned loads before it forks: clients' processes import nothing, and share what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests import TREE
from tests.support.saned import configure, environment

PRELOAD = """
import sys
sys.path.insert(0, sys.argv[1])
import gc
from sane.config import Environment
from sane.saned.warm import preload
preload(Environment.current(), lambda level, text: print(level, text))
print("frozen", gc.get_freeze_count() > 1000, "left", gc.get_count()[2])
print("loaded", all(f"sane.backends.{part}" in sys.modules for part in sys.argv[2:]))
"""


def run(config: Path, *parts: str) -> list[str]:
    line = [sys.executable, "-I", "-c", PRELOAD, str(TREE), *parts]
    done = subprocess.run(line, env=environment(config), check=True, capture_output=True, text=True)
    return [row for row in done.stdout.splitlines() if "not compiled" not in row]


def test_warm_what_is_loaded_is_kept_from_the_collector(tmp_path: Path) -> None:
    """A collection in a client's process would write to every page that it shares with others."""
    assert "frozen True left 0" in run(configure(tmp_path))


def test_warm_backends_are_loaded_with_all_their_parts(tmp_path: Path) -> None:
    config = configure(tmp_path, dll="test\nepson2\nnosuch\n")
    assert run(config, "test.device", "epson2.scan")[-1] == "loaded True"
