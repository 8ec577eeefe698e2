"""What the linker sees of our libraries, and how they live without Python."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.abi import running
from tests.conftest import PREFIX

OPERATIONS = (
    *("init", "exit", "get_devices", "open", "close", "get_option_descriptor"),
    *("control_option", "get_parameters", "start", "read", "cancel", "set_io_mode"),
    "get_select_fd",
)
HELPERS = {
    "md5_buffer",
    "sanei_config_open",
    "sanei_config_read",
    "sanei_config_skip_whitespace",
    "sanei_debug_msg",
    "sanei_init_debug",
}
BACKENDS = ("test", "pnm", "pysane")
LIBRARIES = {
    "libsane.so.1": PREFIX / "lib" / "libsane.so.1",
    **{
        f"libsane-{name}.so.1": PREFIX / "lib" / "sane" / f"libsane-{name}.so.1"
        for name in BACKENDS
    },
}
BOOT = sorted((PREFIX / "lib" / "pysane").glob("boot.*.so"))
# What later versions of the C library only moved or named anew, as seen by who is built with it.
MOVED = re.compile(r"dl\w+|pthread_\w+|sem_\w+|[fl]?stat(at)?(64)?|__libc_start_main|__isoc23_\w+")
RUNTIME = PREFIX / "lib" / "pysane" / "pysane.runtime"


def tool(*command: str | Path) -> str:
    """Return what a tool of binutils prints."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"peer absent: {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def exported(library: Path) -> list[str]:
    return [line.split()[-1] for line in tool("nm", "-D", "--defined-only", library).splitlines()]


def undefined(library: Path) -> list[str]:
    return [line.split()[-1] for line in tool("nm", "-D", "-u", library).splitlines()]


def dynamic(library: Path, tag: str) -> list[str]:
    """Return the values of the dynamic section's entries *tag*."""
    text = tool("readelf", "-dW", library)
    return re.findall(rf"\({tag}\)\s+(?:[^:\n]*: )?\[?([^\]\n]*)", text)


def test_symbols_libsane_exports_the_twenty_functions() -> None:
    wanted = {*(f"sane_{op}" for op in (*OPERATIONS, "strstatus")), *HELPERS}
    assert sorted(exported(LIBRARIES["libsane.so.1"])) == sorted(wanted)


@pytest.mark.parametrize("name", BACKENDS)
def test_symbols_backend_library_exports_its_operations_and_the_mark(name: str) -> None:
    wanted = {"pysane_shim", *(f"sane_{name}_{op}" for op in OPERATIONS)}
    assert sorted(exported(LIBRARIES[f"libsane-{name}.so.1"])) == sorted(wanted)


def test_symbols_boot_exports_its_entries_only() -> None:
    for path in BOOT:
        found = [name for name in exported(path) if not name.startswith("PyInit_")]
        assert found == ["pysane_boot"]


def test_symbols_nothing_needs_a_function_that_glibc_228_lacks() -> None:
    """Wheels are built with that version and for it: manylinux_2_28."""
    package = PREFIX / "lib" / "pysane"
    made = [
        *LIBRARIES.values(),
        *BOOT,
        *PREFIX.glob("libexec/pysane/probe"),
        *package.rglob("*.cpython-*.so"),
    ]
    assert len(made) > 20
    newer = set()
    for library in made:
        for name in undefined(library):
            found = re.fullmatch(r"(\w+)@GLIBC_2\.(\d+)", name)
            if found and int(found[2]) > 28 and not MOVED.fullmatch(found[1]):
                newer.add(name)
    assert newer == set()


@pytest.mark.parametrize("name", LIBRARIES)
def test_symbols_libraries_need_no_python(name: str) -> None:
    found = [symbol for symbol in undefined(LIBRARIES[name]) if re.match("_?Py", symbol)]
    assert not found


@pytest.mark.parametrize("name", LIBRARIES)
def test_symbols_libraries_need_nothing_but_libc(name: str) -> None:
    """A call of a generic sane_ function would bind to another libsane in the process."""
    weak = {"_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__gmon_start__"}
    found = [s for s in undefined(LIBRARIES[name]) if "@GLIBC_" not in s and s not in weak]
    assert not found
    needed = [entry for entry in dynamic(LIBRARIES[name], "NEEDED") if "ld-linux" not in entry]
    assert needed == ["libc.so.6"]


def test_symbols_boot_does_not_need_a_libpython() -> None:
    """In a Python host every Py symbol must be the host's, libsane's never a second copy."""
    for path in BOOT:
        assert not [entry for entry in dynamic(path, "NEEDED") if "python" in entry]


@pytest.mark.parametrize("name", LIBRARIES)
def test_symbols_soname_is_the_file_name(name: str) -> None:
    assert dynamic(LIBRARIES[name], "SONAME") == [name]


@pytest.mark.parametrize("library", [*LIBRARIES.values(), *BOOT], ids=lambda path: path.name)
def test_symbols_libraries_stay_loaded_and_bind_at_once(library: Path) -> None:
    flags = " ".join(dynamic(library, "FLAGS") + dynamic(library, "FLAGS_1"))
    assert "NODELETE" in flags
    assert "BIND_NOW" in flags or "NOW" in flags.split()
    assert "STATIC_TLS" not in flags, "loading late could fail"
    stack = [line for line in tool("readelf", "-lW", library).splitlines() if "GNU_STACK" in line]
    assert stack and all(" RWE " not in line for line in stack)


def test_symbols_libraries_are_unversioned() -> None:
    for library in LIBRARIES.values():
        assert not [symbol for symbol in exported(library) if "@" in symbol]


def test_symbols_all_libraries_load_together(
    tmp_path: Path, staged_environment: dict[str, str]
) -> None:
    program = running.build("load.c", tmp_path)
    environment = {**staged_environment, "LD_BIND_NOW": "1"}
    done = running.run([program, *LIBRARIES.values(), *LIBRARIES.values()], environment)
    assert (done.returncode, done.stderr) == (0, "")


# -- Without a usable Python


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build("plain.c", tmp_path_factory.mktemp("plain"))


def test_symbols_program_runs_where_no_python_is(
    plain: Path, staged_environment: dict[str, str], tmp_path: Path
) -> None:
    shutil.copy(running.LIBSANE, tmp_path)
    lone = {**staged_environment, "LD_LIBRARY_PATH": str(tmp_path), "ONLY_INIT": "1"}
    done = running.run([plain], lone)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "init GOOD 1.2\nstrstatus Invalid argument\n"
