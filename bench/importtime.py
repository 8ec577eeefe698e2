"""make importtime: what a listing of the test device imports, and what each module costs."""

from __future__ import annotations

import os
import subprocess
import sys

LISTING = """
import sys
sys.path.insert(0, {path!r})
import sane.abi
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
context = Context(Environment({{"SANE_CONFIG_DIR": "/nonexistent"}}, None))
registry_for("test", context).get_devices()
"""


def main(path: str) -> int:
    """Print the modules, slowest first, and the sum."""
    code = LISTING.format(path=os.path.abspath(path))
    command = [sys.executable, "-I", "-S", "-X", "importtime", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = []
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        if own.strip().isdigit():
            rows.append((int(own), rest.partition("|")[2].strip()))
    for microseconds, module in sorted(rows, reverse=True):
        print(f"{microseconds:8d} us  {module}")
    print(f"{sum(row[0] for row in rows):8d} us  for {len(rows)} modules")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
