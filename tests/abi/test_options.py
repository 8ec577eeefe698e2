"""Options from C: descriptors, GET, SET, AUTO, and the pointers that frontends pass.

Buffers end at a page that may not be touched; the same program runs under AddressSanitizer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import cc
from tests.abi import running
from tests.abi.running import ASAN

NAMES = ("options", "set")
UNDER_ASAN = ("get_all", "set_strings", "set_free_text", "set_vector", "constraints_change")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return running.build_all(tmp_path_factory.mktemp("options"), *NAMES)


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sanitized")
    try:
        return running.build_all(folder, *NAMES, flags=[ASAN])
    except RuntimeError as exc:
        if "asan" not in str(exc):
            raise
        pytest.skip("peer absent: libasan")


@pytest.fixture
def environment(staged_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return running.with_drivers(staged_environment, tmp_path)


@pytest.mark.parametrize(("name", "case"), running.cases(*NAMES))
def test_options_from_c(
    programs: dict[str, Path], environment: dict[str, str], name: str, case: str
) -> None:
    running.passes(programs[name], case, environment)


@pytest.mark.parametrize(("name", "case"), [c for c in running.cases(*NAMES) if c[1] in UNDER_ASAN])
def test_options_write_nowhere_else(
    sanitized: dict[str, Path], environment: dict[str, str], name: str, case: str
) -> None:
    done = running.passes(sanitized[name], case, {**environment, "ASAN_OPTIONS": "detect_leaks=0"})
    assert "AddressSanitizer" not in done.stderr


def test_options_sanitizer_sees_a_write_beyond_the_buffer(
    tmp_path: Path, sanitized: dict[str, Path]
) -> None:
    """Otherwise the test above would show nothing."""
    assert sanitized
    source = (
        "#include <stdlib.h>\n#include <string.h>\n"
        "int main(int n, char **a) { char *p = malloc(4); strcpy(p, a[n - 1]); return *p; }"
    )
    program = cc.compile_program(source, tmp_path / "overflow", ASAN, "-g")
    done = running.run([program, "more than four"], {"ASAN_OPTIONS": "detect_leaks=0"})
    assert "heap-buffer-overflow" in done.stderr
