"""Tests of PySANE; the layout mirrors sane/ and backends/.

SANE_TEST_TREE names the folder that holds the package to test: by default the source tree,
uncompiled; build/prefix/lib/pysane for the compiled one. It is in front of the path, also for the
tests' own programs (``python -m tests...``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = Path(os.environ.get("SANE_TEST_TREE") or ROOT).resolve()

sys.path.insert(0, str(TREE))
