"""What the eSCL part makes the server import: neither NumPy nor Pillow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import TREE

CODE = """
import sys
sys.path.insert(0, sys.argv[1])
from sane.web import escl
from sane.web.encoders import FORMATS, available, encode
from sane.web.encoders.form import Form
for format in available():
    encode(format, Form(8, 1, 1, 8, 75, 75), 90).feed(bytes(8))
print(*sorted(set(sys.modules) & {"numpy", "PIL", "pikepdf"}))
"""

pytest.importorskip("starlette", reason="peer absent: the Python package starlette")


def test_the_server_imports_no_numpy_for_escl() -> None:
    command = [sys.executable, "-c", CODE, str(TREE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
