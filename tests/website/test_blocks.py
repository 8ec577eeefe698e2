"""Every block of code on every page is run by a test, or is told to be none.

A page that a test runs as a whole stands in WHOLE, or a test reads it by its name; otherwise the
beginning of a block names its test. What only shows a form or an output has a reason.
"""

from __future__ import annotations

import functools
import subprocess

import pytest

from tests import ROOT
from tests.website.blocks import BLOCKS, Block

HERE = "tests/website/test_commands.py"
STARTS = "tests/website/test_starts.py"
OUTPUT, FORM = "what a program prints", "the form of a file or a message"
KINDS = ("", "python", "sh", "sh systemd", "toml", "text")
# Pages whose blocks of a kind are all run by one test.
WHOLE = {
    ("driver-guide.md", "python"): "tests/test_guide_chapters.py",
    ("pysane.md", ""): "tests/cli/test_pysane_docs.py",
    ("scanimage.md", ""): "tests/peers/test_scanimage_own.py",
    **{(f"start-{who}.md", "sh"): STARTS for who in ("owner", "administrator", "driver", "python")},
    **{(f"start-{who}.md", "python"): STARTS for who in ("driver", "python")},
}
# By their beginnings.
RUN = {
    "README.md": {
        "make scan": "packaging/distro_test.py",
        "LD_LIBRARY_PATH=": "tests/peers/test_xsane.py",
        "import sane": HERE,
        "class Gradient(Device)": HERE,
    },
    "CONTRIBUTING.md": {"make build": ".ci/run"},
    "backends.md": {"native epson2": HERE},
    "driver-guide.md": {
        "export PYSANE_BACKEND_PATH": "tests/peers/test_guide.py",
        "[project.entry-points": "tests/dll/test_finder.py",
        "PYSANE_USB_REPLAY=": "tests/peers/test_guide_usb.py",
        "sudo modprobe usbmon": "tests/vm/test_captures.py",
    },
    "install.md": {
        "file=$(ls": "packaging/deb_test.py",
        "sudo rm $file": "packaging/deb_test.py",
        "pipx install": "packaging/wheels_test.py",
    },
    "net-sessions.md": {"PYSANE_NET_RECORD": HERE, "from sane.config": HERE},
    "pixma.md": {"python -m sane.testing.pixma": HERE},
    "python-sane.md": {"pip install": "packaging/wheels_test.py"},
    "scanner-not-found.md": {
        "pysane doctor": "tests/cli/doctor/test_program.py",
        "curl -k": HERE,
        "scanimage -d escl": HERE,
        "http://192": HERE,
        "unix:": "tests/backends/test_escl_faults.py",
    },
    "share.md": {"pip install": "tests/web/browser/test_share.py", "[server]": HERE},
    "share-api.md": {"curl": HERE},
    "start-administrator.md": {"sudo systemctl": "packaging/deb_test.py"},
    "testing-network.md": {
        "import subprocess": HERE,
        **dict.fromkeys(("from sane.testing", "scanner.script", "with Responder"), HERE),
        **dict.fromkeys(("python -m sane.testing", '{"model"'), HERE),
    },
    "testing-usb.md": {
        "make test-usb": ".ci/run",
        "python3 -m sane.testing": HERE,
    },
    "usb-sessions.md": {
        "PYSANE_USB_RECORD": "tests/peers/test_guide_usb.py",
        "from sane.config": HERE,
    },
}
SHOWN = {
    "backends.md": {"pysane: this program": OUTPUT},
    "driver-guide.md": {
        "BROKEN": OUTPUT,
    },
    "net-sessions.md": {"[network] replay": OUTPUT, "pysane-net 1": FORM},
    "protocols.md": {"client": FORM},
    "saned.md": {"$ sudo -u saned": OUTPUT},
    "share.md": {
        "useradd": "changes a machine with systemd: tests/web/test_units.py checks the unit",
        "$ sudo -u saned": OUTPUT,
        "server {": "nginx's own form",
    },
    "usb-sessions.md": {"[usb] replay": OUTPUT, "pysane-usb 1": FORM},
}


@functools.cache
def reader_of(page: str) -> str:
    """Return a test that reads *page* by its name, and so can run what stands there."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if f'"docs" / "{page}"' in path.read_text(encoding="utf-8"):
            return str(path.relative_to(ROOT))
    return ""


def verdict(block: Block) -> str:
    """Return the test that runs a block, or why none does; "" if nobody knows."""
    known = {**RUN.get(block.page, {}), **SHOWN.get(block.page, {})}
    found = [test for start, test in known.items() if block.start.startswith(start)]
    if found or (block.page, block.kind) in WHOLE:
        return found[0] if found else WHOLE[block.page, block.kind]
    return reader_of(block.page) if block.kind in ("python", "toml") else ""


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}: {block.start[:30]}")
def test_a_block_is_run_somewhere(block: Block) -> None:
    assert verdict(block), f"no test runs this block of {block.page}:\n{block.text}"


def test_the_tests_that_run_blocks_are_there() -> None:
    named = {*WHOLE.values(), *(test for tests in RUN.values() for test in tests.values())}
    assert [test for test in sorted(named) if not (ROOT / test).is_file()] == []


def test_no_line_of_these_tables_is_left_over() -> None:
    for table in (RUN, SHOWN):
        for page, starts in table.items():
            there = [block.start for block in BLOCKS if block.page == page]
            for start in starts:
                assert any(one.startswith(start) for one in there), f"{page}: {start}"
    kinds = {(block.page, block.kind) for block in BLOCKS}
    assert set(WHOLE) <= kinds


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.kind.startswith("sh") or block.start.startswith("make ")],
    ids=lambda block: f"{block.page}: {block.start[:30]}",
)
def test_a_block_for_the_shell_is_understood_by_it(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, check=False)
    assert done.returncode == 0
