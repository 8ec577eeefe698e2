"""A C program under LeakSanitizer: what our interpreter keeps is not called leaked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.abi import running

MOST_BYTES = 1024  # the original leaves some 200


def test_leaks_at_the_end_of_a_program_are_few(
    staged_environment: dict[str, str], tmp_path: Path
) -> None:
    try:
        program = running.build("client.c", tmp_path, "-fsanitize=address")
    except RuntimeError as exc:
        if "asan" not in str(exc):
            raise
        pytest.skip("peer absent: libasan")
    environment = running.with_drivers(staged_environment, tmp_path)
    done = running.run([program], {**environment, "ASAN_OPTIONS": "detect_leaks=1:exitcode=0"})
    assert done.returncode == 0, done.stderr
    leaked = re.search(r"SUMMARY: AddressSanitizer: (\d+) byte", done.stderr)
    assert leaked is None or int(leaked[1]) < MOST_BYTES, done.stderr[-8000:]
