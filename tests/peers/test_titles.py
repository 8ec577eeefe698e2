"""Titles of options are the original's: frontends find the translations by them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sane.backends.pnm.device import PnmDevice
from sane.backends.test.device import TestDevice
from tests import cc

if TYPE_CHECKING:
    from pathlib import Path

    from sane.backend import Device

ASK = """
import ctypes, json, sys

class Descriptor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("title", ctypes.c_char_p), ("desc", ctypes.c_char_p)]

sane = ctypes.CDLL(sys.argv[1])
handle = ctypes.c_void_p()
sane.sane_get_option_descriptor.restype = ctypes.POINTER(Descriptor)
sane.sane_init(None, None)
assert sane.sane_open(sys.argv[2].encode(), ctypes.byref(handle)) == 0
found = []
while descriptor := sane.sane_get_option_descriptor(handle, len(found)):
    found.append([(descriptor[0].name or b"").decode(), descriptor[0].title.decode()])
print(json.dumps(found))
"""


@pytest.mark.parametrize(("backend", "device"), [("test", TestDevice), ("pnm", PnmDevice)])
def test_titles_are_those_of_the_original(
    tmp_path: Path, backend: str, device: type[Device]
) -> None:
    library = cc.distribution_libsane()
    (tmp_path / "dll.conf").write_text(f"{backend}\n")
    environment = {"SANE_CONFIG_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    answer = subprocess.check_output(
        [sys.executable, "-c", ASK, str(library), f"{backend}:0"], env=environment, timeout=60
    )
    ours = [[option.name, option.title] for option in device.declared]
    assert ours == json.loads(answer)
