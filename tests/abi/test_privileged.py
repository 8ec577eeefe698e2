"""A program with rights that its user lacks runs, reads and writes nothing that the user names."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import cc
from tests.abi import running
from tests.conftest import PREFIX

STRANGER = 65534
NO_CODE = "the stranger's code runs"
LIBRARY = f"""
#include <unistd.h>
__attribute__((constructor)) static void run(void) {{ write(2, "{NO_CODE}\\n", 25); }}
"""
DRIVER = f"""
import os
os.write(2, b"{NO_CODE}\\n")
from ..backend import Backend
"""
DAC_OVERRIDE = 1 << 1
DEVICES = ("stranger_c:x", "stranger_py:x", "stranger_conf:x")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="peer absent: root and setpriv, to make privileged programs and run them as a stranger",
)


class Place:
    """A program in a folder that a stranger can reach, and what the stranger has beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        rpath = f"-Wl,-rpath,{PREFIX / 'lib'}"
        self.program = running.build("privileged.c", folder, rpath)
        self.own = folder / "stranger"
        for name in ("lib", "drivers", "sane.d", "cache"):
            (self.own / name).mkdir(parents=True)
        cc.compile_program(
            LIBRARY, self.own / "lib" / "libsane-stranger_c.so.1", "-shared", "-fPIC"
        )
        for name in ("stranger_py", "stranger_conf"):
            (self.own / "drivers" / f"{name}.py").write_text(DRIVER)
        (self.own / "sane.d" / "dll.conf").write_text("stranger_conf\n")
        (self.own / "sane.d" / "pysane.conf").write_text("list-cache 100\n")
        for path in [self.own, *self.own.rglob("*")]:
            os.chown(path, STRANGER, STRANGER)
        self.environment = {
            "PATH": os.defpath,
            "LIBPATH": str(self.own / "lib"),
            "SHLIB_PATH": str(self.own / "lib"),
            "LD_LIBRARY_PATH": str(self.own / "lib"),
            "PYSANE_BACKEND_PATH": str(self.own / "drivers"),
            "SANE_CONFIG_DIR": str(self.own / "sane.d"),
            "XDG_CACHE_HOME": str(self.own / "cache"),
            "HOME": str(self.own),
            "PYSANE_USB_RECORD": str(self.own / "record"),
            "PYUSB_DEBUG": "debug",
            "PYUSB_LOG_FILENAME": str(self.own / "pyusb.log"),
            "SANE_DEBUG_DLL": "3",
        }

    def run(self, how: str) -> subprocess.CompletedProcess[str]:
        ids = ("--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups")
        command = ["setpriv", *ids, str(self.program), how, *DEVICES]
        return running.run(list(command), self.environment)

    def grow(self, kind: str) -> None:
        """Give the program rights: set-uid, set-gid or file capabilities."""
        if kind == "capabilities":
            caps = struct.pack("<5I", 0x02000000 | 1, DAC_OVERRIDE, 0, 0, 0)
            os.setxattr(self.program, "security.capability", caps)
        else:
            self.program.chmod(0o4755 if kind == "set-uid" else 0o2755)


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="pysane-test-"))
    try:
        yield Place(folder)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("how", ["as it is", "setuid"])
@pytest.mark.parametrize("kind", ["set-uid", "capabilities"])
def test_privileged_program_uses_nothing_of_its_users(place: Place, kind: str, how: str) -> None:
    place.grow(kind)
    done = place.run(how)
    if done.stdout.startswith("plain"):
        pytest.skip("peer absent: a file system where programs can be privileged")
    assert done.returncode == 0, done.stderr
    assert NO_CODE not in done.stderr
    assert done.stdout.splitlines()[1:] == [f"{device} INVAL" for device in DEVICES]
    assert "init of backend stranger" in done.stderr  # what is said is for the user to choose
    assert str(place.own) not in done.stderr
    left = {"pyusb.log", "record"} & set(os.listdir(place.own)) | set(
        os.listdir(place.own / "cache")
    )
    assert not left


def test_privileged_or_not_is_what_makes_the_difference(place: Place) -> None:
    """The stranger's own programs use all of it, if the interpreter can be reached at all."""
    os.chown(place.program, STRANGER, STRANGER)
    done = running.run([place.program, "as it is", *DEVICES], place.environment)
    assert done.stdout.startswith("plain")
    assert NO_CODE in done.stderr
