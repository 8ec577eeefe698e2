"""What cannot be built is refused at once, with the reason."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest

from tests import cc
from tests.conftest import ROOT

SETUP = """
import runpy, sys, sysconfig
sysconfig.get_config_vars()["Py_GIL_DISABLED"] = 1
sys.argv = ["setup.py", "stage"]
runpy.run_path("setup.py", run_name="__main__")
"""


def test_a_free_threaded_python_is_refused_by_setup() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SETUP], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{sys.executable} is a free-threaded Python: PySANE needs the GIL\n"


def test_a_free_threaded_python_is_refused_by_the_compiler() -> None:
    boot = (ROOT / "sane" / "abi" / "boot.c").read_text()
    flags = [f"-I{path}" for path in (cc.INCLUDE, ROOT / "sane/abi", sysconfig.get_path("include"))]
    with pytest.raises(RuntimeError, match="PySANE needs a Python with the GIL"):
        cc.preprocess(boot, "-DPy_GIL_DISABLED", *flags)
