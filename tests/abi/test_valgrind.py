"""A frontend's life under memcheck: no error and no leak in our own code.

Python's own findings do not count, such as what it keeps until the end of the process. A leak is
ours if our code called the allocator; an error is ours if our code is anywhere in its stack.
"""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests import cc
from tests.abi import c_backends, running
from tests.conftest import PREFIX

ALLOCATORS = {"malloc", "calloc", "realloc", "strdup", "aligned_alloc", "posix_memalign"}
TIMEOUT = 300


def is_ours(frame: ET.Element) -> bool:
    return frame.findtext("obj", "").startswith(f"{PREFIX}/")


def frames(error: ET.Element) -> list[ET.Element]:
    return error.findall("stack/frame")


def our_errors(report: Path) -> list[str]:
    """Return the findings of memcheck that are ours, one text each."""
    found = []
    for error in ET.parse(report).getroot().findall("error"):
        kind = error.findtext("kind", "")
        stack = frames(error)
        if kind.startswith("Leak_"):
            callers = [frame for frame in stack if frame.findtext("fn") not in ALLOCATORS]
            guilty = kind == "Leak_DefinitelyLost" and bool(callers) and is_ours(callers[0])
        else:
            guilty = any(is_ours(frame) for frame in stack)
        if guilty:
            names = " < ".join(frame.findtext("fn", "?") for frame in stack[:12])
            found.append(f"{kind}: {names}")
    return found


def memcheck(folder: Path, environment: dict[str, str], *command: str | Path) -> list[str]:
    """Run a program, which must succeed, under memcheck; return the findings that are ours."""
    if shutil.which("valgrind") is None:
        pytest.skip("peer absent: valgrind")
    report = folder / "memcheck.xml"
    valgrind: list[str | Path] = [
        *("valgrind", "--leak-check=full", "--show-leak-kinds=definite", "--num-callers=40"),
        *("--xml=yes", f"--xml-file={report}", "--child-silent-after-fork=yes"),
    ]
    done = running.run([*valgrind, *command], environment, TIMEOUT)
    assert done.returncode == 0, done.stderr
    return our_errors(report)


def test_valgrind_finds_nothing_in_our_code(
    staged_environment: dict[str, str], tmp_path: Path
) -> None:
    program = running.build("client.c", tmp_path)
    environment = running.with_drivers(staged_environment, tmp_path)
    assert not memcheck(tmp_path, environment, program)


C_BACKENDS = ("scan", "refusing", "callback", "exit_in_handler", "two_libraries")


@pytest.mark.parametrize("case", C_BACKENDS)
def test_valgrind_finds_nothing_around_c_backends(
    staged_environment: dict[str, str], tmp_path: Path, case: str
) -> None:
    program = running.build("c_backends.c", tmp_path)
    environment = c_backends.environment(staged_environment, tmp_path)
    assert not memcheck(tmp_path, environment, program, case)


def test_valgrind_finds_nothing_in_the_fallback(
    staged_environment: dict[str, str], tmp_path: Path
) -> None:
    cc.distribution_libsane()
    program = running.build("plain.c", tmp_path)
    shutil.copy(running.LIBSANE, tmp_path)
    environment = {**staged_environment, "LD_LIBRARY_PATH": str(tmp_path)}
    assert not memcheck(tmp_path, environment, program)


REPORT = """<valgrindoutput>
<error><kind>{kind}</kind><stack>
<frame><obj>/usr/lib/valgrind.so</obj><fn>malloc</fn></frame>
<frame><obj>{first}</obj><fn>one</fn></frame>
<frame><obj>{second}</obj><fn>two</fn></frame>
</stack></error></valgrindoutput>"""
OURS, THEIRS = f"{PREFIX}/lib/libsane.so.1", "/usr/lib/libpython3.11.so.1.0"
SAMPLES = [
    ("InvalidRead", OURS, THEIRS, 1),
    ("InvalidWrite", THEIRS, OURS, 1),
    ("UninitCondition", THEIRS, THEIRS, 0),
    ("Leak_DefinitelyLost", OURS, THEIRS, 1),
    ("Leak_DefinitelyLost", THEIRS, OURS, 0),
    ("Leak_StillReachable", OURS, OURS, 0),
]


@pytest.mark.parametrize(("kind", "first", "second", "count"), SAMPLES)
def test_valgrind_report_is_judged_by_its_stacks(
    tmp_path: Path, kind: str, first: str, second: str, count: int
) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT.format(kind=kind, first=first, second=second))
    assert len(our_errors(report)) == count
