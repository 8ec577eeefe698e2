"""python -m sane.testing: devices that keep the rules, and one library that breaks them all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import cc
from tests.abi.running import LIBSANE, PROGRAMS, with_drivers
from tests.conftest import PREFIX

PACKAGE = PREFIX / "lib" / "pysane"


def suite(environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run the suite on the staged package; return its status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "sane.testing", *arguments],
        env={**environment, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of the library that breaks rules."""
    target = tmp_path_factory.mktemp("broken") / "libsane.so.1"
    flags = ("-shared", "-fPIC", "-O1", "-w", f"-I{cc.INCLUDE}")
    return str(cc.compile_program(PROGRAMS / "broken.c", target, *flags))


@pytest.mark.parametrize("device", ["proper:flat", "proper:thread"])
def test_conformance_finds_nothing_wrong_with_a_proper_driver(
    device: str, staged_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = with_drivers(staged_environment, tmp_path)
    status, out, err = suite(environment, "--buttons", "--verbose", device)
    assert (status, err) == (0, ""), out + err
    assert " 0 broken, " in out
    skipped = [line for line in out.splitlines() if line.startswith("skipped")]
    assert skipped == []


def test_conformance_finds_what_the_test_device_is_known_for(
    staged_environment: dict[str, str],
) -> None:
    """Both are faithful to the original: docs/deviations.md."""
    status, out, _ = suite(staged_environment, "test:0")
    assert status == 1
    findings = [line.strip() for line in out.splitlines() if line.strip().startswith("- ")]
    assert findings == [
        "- setting option 17 (ppl-loss) to [64]: the parameters changed without RELOAD_PARAMS",
        "- setting option 17 (ppl-loss) to [128]: the parameters changed without RELOAD_PARAMS",
        "- setting option 3 (depth) to 0: setting the rounded value returned 4 (Invalid argument), "
        "expected GOOD",
    ]


FINDINGS = {
    "texts": [
        "option 1 (without a name): the name is NULL",
        "option 1 (without a name): the title is NULL or empty",
        "option 2 (Upper): the title has several lines",
        "option 2 (Upper): the name is not [a-z][a-z0-9-]*",
        "2 options are called same",
        "option 1 (without a name): a BOOL of 8 bytes",
        "option 2 (Upper): 3 bytes are no whole words",
        "option 2 (Upper): SOFT_SELECT without SOFT_DETECT",
        "option 3 (same): the list of its values is empty",
        "option 4 (same): constraint type 1 on value type 3",
        "option 4 (same): the constraint is NULL",
        "option 4 (same): unit 9",
        "option 4 (same): cap 0x85 has unknown bits",
        "option 5 (resolution): unit 3, not DPI",
        "its name is 'count', not empty",
        "its value is 4, but 6 options are there",
        "sane_init: version code 0x2000000 has major 2",
        "b'crash': model is NULL or empty",
        "sane_open('texts:no such device \\x7f') failed and stored a handle",
        "sane_strstatus(10) is NULL",
    ],
    "values": [
        "option 1 (level): more than its 4 bytes were written",
        "setting read-only option 2 (other) returned 0 (text), expected INVAL or UNSUPPORTED",
        "action 17 succeeded on 4 options, as on option 0 (Number of options)",
        "setting option 1 (level) to [0]: info 0x5a5a5a59 was not assigned",
        "setting option 3 (flag) to b'\\x02\\x00\\x00\\x00' returned 0 (text), "
        "expected INVAL or UNSUPPORTED",
    ],
    "scan": [
        "format 0, last_frame 1, bytes_per_line 8, pixels_per_line 10, lines 4, depth 8: "
        "8 bytes in a line that needs 10",
        "sane_start during a frame returned 0 (text), expected INVAL or DEVICE_BUSY",
        "a read of 7 wrote behind the buffer",
        "at the end the length is 1, not 0",
        "a read after sane_cancel returned 0 (text), expected CANCELLED",
        "sane_set_io_mode(FALSE) returned 1 (text), expected GOOD",
        "descriptor 5000 does not fit into select",
    ],
    "crash": ["the program crashed: SIGABRT"],
    "hang": ["it did not come to an end within 0.5 s"],
}


@pytest.mark.parametrize("device", FINDINGS)
def test_conformance_names_what_is_broken(
    device: str, broken: str, staged_environment: dict[str, str]
) -> None:
    status, out, _ = suite(staged_environment, "--timeout", "0.5", "--library", broken, device)
    found = [line.strip().removeprefix("- ") for line in out.splitlines() if " - " in line]
    assert status == 1
    assert [text for text in FINDINGS[device] if text not in found] == []
    assert out.splitlines()[-1].startswith(f"{device}: "), out


def test_conformance_says_why_it_cannot_run(staged_environment: dict[str, str]) -> None:
    status, out, err = suite(staged_environment, "--library", "/nowhere/libsane.so.1", "test:0")
    assert (status, out) == (2, "")
    assert "/nowhere/libsane.so.1" in err
    status, out, err = suite(staged_environment, "nothing:there")
    assert (status, out) == (2, "")
    assert "nothing:there: sane_open returned 4 (Invalid argument)" in err


def test_conformance_lists_devices(staged_environment: dict[str, str]) -> None:
    status, out, _ = suite(staged_environment)
    assert (status, out.split()) == (0, ["test:0", "test:1"])
    status, out, _ = suite(staged_environment, "--library", str(LIBSANE))
    assert (status, out.split()) == (0, ["test:0", "test:1"])
