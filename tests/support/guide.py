"""The USB scanner of docs/driver-guide.md, taken from its text."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

from tests import ROOT


class Guide:
    """The code of the guide in a folder: drivers/acme.py, emulated_s1.py, test_s1.py."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (ROOT / "docs" / "driver-guide.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        (folder / "drivers").mkdir(mode=0o755)
        for start, name in (
            ('"""Acme S1', "drivers/acme.py"),
            ('"""An emulated Acme', "emulated_s1.py"),
            ('"""A test: scanimage', "test_s1.py"),
        ):
            (code,) = [block for block in blocks if block.startswith(start)]
            (folder / name).write_text(code, encoding="utf-8")
            (folder / name).chmod(0o644)
        spec = importlib.util.spec_from_file_location("emulated_s1", folder / "emulated_s1.py")
        assert spec is not None
        assert spec.loader is not None
        self.module: Any = importlib.util.module_from_spec(spec)
