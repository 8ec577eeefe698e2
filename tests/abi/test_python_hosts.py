"""Hosts that are themselves a Python: ctypes, cffi and python3-sane, of our version and others."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tests import cc
from tests.abi import running
from tests.support.other_pythons import (
    PYHOST,
    system_python,
)

DEVICES = "0 ['test:0', 'test:1']\n"
END_SECONDS = 2.0  # with start-up; a call that waits in vain waits longer
COLOR16_BYTES = 157 * 6 * 196  # the shipped test.conf at 50 dpi

EXPECTED = {
    "session": f"{DEVICES}{COLOR16_BYTES}\n" * 2 + "False True\n",
    "own_package": "True False\n2 2\n",
    "blocked_read": "0 100 sr\n",
    "blocked_read_with_gil": "0 100 sr\n",
    "cancel_in_thread": "[(2, b'')]\n",
    "many_threads": "50 1\n",
    "fork": "0 True\n",
    "fork_exit": "0 sFc F\n",
    "fork_cancel": "0 True\n",
    "fork_beside_a_read": "0 [(0, 100)]\n",
    "leave_open": "left\n",
    "close_at_exit": "left\n",
    "two_libraries": "0\n57\n",
}

PYTHON_SANE = {
    "a page as an array of bytes": """
version = sane.init()
print(version[1:3], [d[0] for d in sane.get_devices()])
device = sane.open("test:0")
device.mode, device.resolution = "Color", 75
device.br_x = 40.0
device.start()
image = device.snap()
print(image.size, image.mode, device.mode, device.br_x)
""",
    "pages until the feeder is empty": """
sane.init()
device = sane.open("test:0")
device.source = "Automatic Document Feeder"
print(len(list(device.multi_scan())))
device.close()
sane.exit()
sane.init()
print(sane.open("test:1").area)
sane.exit()
""",
    "an error by its text": """
sane.init()
try:
    sane.open("test:9")
except Exception as exc:
    print(type(exc).__module__, exc)
""",
    "a scan left under way": """
sane.init()
device = sane.open("test:0")
device.start()
print("left")
""",
    "both packages": """
import sys
sane.init()
sane.get_devices()
print(sane.__file__ != sys.modules["_pysane"].__file__, hasattr(sane, "__pysane__"))
""",
}
PYTHON_SANE_PRINTS = {
    "a page as an array of bytes": "(1, 2) ['test:0', 'test:1']\n(118, 295) RGB Color 40.0\n",
    "pages until the feeder is empty": "10\n((0.0, 0.0), (80.0, 100.0))\n",
    "an error by its text": "_sane Invalid argument\n",
    "a scan left under way": "left\n",
    "both packages": "True False\n",
}

CFFI = """
import re, sys
from cffi import FFI
library, header = sys.argv[1:]
ffi = FFI()
text = re.sub(r"struct SANE_Auth_Data;", "", open(header).read())
ffi.cdef(text)
sane = ffi.dlopen(library)
version = ffi.new("SANE_Int *")

@ffi.callback("SANE_Auth_Callback")
def authorize(resource, user, password):
    ffi.memmove(user, b"u" * 127, 127)
    ffi.memmove(password, b"p" * 127, 127)

assert sane.sane_init(version, authorize) == sane.SANE_STATUS_GOOD
handle = ffi.new("SANE_Handle *")
assert sane.sane_open(b"faulty:secret", handle) == 0
sane.sane_close(handle[0])
devices = ffi.new("SANE_Device const ***")
assert sane.sane_get_devices(devices, 0) == 0
print(ffi.string(devices[0][0].name).decode())
assert sane.sane_open(b"test:0", handle) == 0
descriptor = sane.sane_get_option_descriptor(handle[0], 3)
print(ffi.string(descriptor.name).decode(), list(descriptor.constraint.word_list[0:4]))
parameters = ffi.new("SANE_Parameters *")
assert sane.sane_start(handle[0]) == 0
assert sane.sane_get_parameters(handle[0], parameters) == 0
data, length, total = ffi.new("SANE_Byte[32768]"), ffi.new("SANE_Int *"), 0
while sane.sane_read(handle[0], data, 32768, length) == 0:
    total += length[0]
print(total == parameters.bytes_per_line * parameters.lines)
sane.sane_close(handle[0])
sane.sane_exit()
"""


DESTRUCTOR = """
import ctypes, sys
class Late:
    library, pointer = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
    refer, say = ctypes.byref, print
    def __del__(self):
        self.library.sane_init(None, None)
        listed = self.library.sane_get_devices(self.refer(self.pointer), 0)
        self.say(listed, self.library.sane_open(b"test:0", self.refer(self.pointer)))
        self.library.sane_exit()
sys.modules["what holds it to the end"] = Late()
"""


@pytest.fixture
def environment(staged_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return running.with_drivers(staged_environment, tmp_path)


def host(
    python: Path, command: str, environment: dict[str, str], *more: str
) -> tuple[int, str, str]:
    done = running.run([python, PYHOST, running.LIBSANE, command, *more], environment, timeout=30)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", EXPECTED)
def test_python_hosts_with_a_shared_libpython(environment: dict[str, str], command: str) -> None:
    python = Path(sys.executable)
    assert host(python, command, environment) == (0, EXPECTED[command], "")


@pytest.mark.parametrize("command", EXPECTED)
def test_python_hosts_that_contain_their_libpython(
    environment: dict[str, str], command: str
) -> None:
    assert host(system_python(), command, environment) == (0, EXPECTED[command], "")


@pytest.mark.parametrize("command", ["session", "leave_open", "close_at_exit", "two_libraries"])
def test_python_hosts_use_a_c_backend(
    environment: dict[str, str], config_dir: Path, command: str
) -> None:
    cc.distribution_libsane()
    (config_dir / "pysane.conf").write_text("native test\n")
    for python in (Path(sys.executable), system_python()):
        done = host(python, command, environment, "--c-backend")
        assert done == (0, EXPECTED[command], "")


@pytest.mark.parametrize("command", ["leave_open", "close_at_exit"])
def test_python_hosts_end_at_once_with_devices_open(
    environment: dict[str, str], command: str
) -> None:
    """Often enough to meet our threads at any moment of the interpreter's end."""
    for _ in range(10):
        begin = time.monotonic()
        assert host(Path(sys.executable), command, environment) == (0, "left\n", "")
        assert time.monotonic() - begin < END_SECONDS


# With what a host that embeds Python is compiled, by the Python that is tested.
EMBEDS = (
    f"-I{sysconfig.get_config_var('INCLUDEPY')}",
    f"-L{sysconfig.get_config_var('LIBDIR')}",
    f"-lpython{sysconfig.get_config_var('LDVERSION')}",
    f"-Wl,-rpath,{sysconfig.get_config_var('LIBDIR')}",
)


def test_python_hosts_that_embed_python_may_end_it_before_sane(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = running.run([running.build("embeds.c", tmp_path, *EMBEDS)], environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "late\n" * 3, "")


@pytest.mark.parametrize("whose", ["ours", "the system's"])
def test_python_hosts_may_use_sane_in_exit_functions_of_c(
    environment: dict[str, str], tmp_path: Path, whose: str
) -> None:
    """Static destructors as well: they run when Python has ended."""
    library = running.build("late.c", tmp_path, "-shared", "-fPIC")
    python = Path(sys.executable) if whose == "ours" else system_python()
    source = f"import ctypes\nctypes.CDLL({str(library)!r}).begin()\n"
    done = running.run([python, "-c", source], environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "late\n", "")


@pytest.mark.parametrize("whose", ["ours", "the system's"])
def test_python_hosts_may_call_first_when_they_are_ending(
    environment: dict[str, str], whose: str
) -> None:
    python = Path(sys.executable) if whose == "ours" else system_python()
    done = running.run([python, "-c", DESTRUCTOR, running.LIBSANE], environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "9 9\n", "")


@pytest.mark.parametrize("program", PYTHON_SANE)
def test_python_hosts_python3_sane(environment: dict[str, str], program: str) -> None:
    """The distribution's binding, whose module has the same name as our package."""
    python = system_python()
    probe = subprocess.run([str(python), "-c", "import _sane"], cwd="/", check=False)
    if probe.returncode != 0:
        pytest.skip("peer absent: python3-sane")
    source = f"import sane\n{PYTHON_SANE[program]}"
    done = running.run([python, "-I", "-c", source], environment, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == PYTHON_SANE_PRINTS[program]


def test_python_hosts_cffi_reads_our_header(environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("cffi", reason="peer absent: cffi")
    header = tmp_path / "sane.i"
    header.write_text(cc.preprocess("#include <sane/sane.h>\n", f"-I{cc.INCLUDE}"))
    command: list[str | Path] = [sys.executable, "-c", CFFI, running.LIBSANE, header]
    done = running.run(command, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "test:0\ndepth [3, 1, 8, 16]\nTrue\n"
