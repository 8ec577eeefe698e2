"""The device and the quick test of docs/testing-usb.md, as they are written there."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sane.testing.usb.hosted import Umockdev
from tests import ROOT, TREE

if TYPE_CHECKING:
    from pathlib import Path

ASK = """
import usb.core
lamp = usb.core.find(idVendor=0x1209)
lamp.write(2, b"?")
print(bytes(lamp.read(0x81, 10)), bytes(lamp.ctrl_transfer(0xC0, 0x42, 0, 0, 1)), lamp.product)
"""


@pytest.mark.process
def test_the_guide_does_what_it_says(usb_bus: Umockdev, tmp_path: Path) -> None:
    """The frontend is replaced by a libusb program that asks the lamp."""
    text = (ROOT / "docs" / "testing-usb.md").read_text(encoding="utf-8")
    device, test, *others = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "lamp.py").write_text(device)
    (tmp_path / "ask.py").write_text(ASK)
    line = '["scanimage", "-d", f"acme:{lamp.name}"]'
    assert line in test
    (tmp_path / "test.py").write_text(
        "from lamp import Lamp\n" + test.replace(line, f"[{sys.executable!r}, 'ask.py']")
    )
    done = subprocess.run(
        [sys.executable, "test.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(TREE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "b'on' b'\\x01' Lamp\n"
    for code in others:
        compile(code, "testing-usb.md", "exec")
