"""Builds C backends from libraries/scanner.c, well-made and otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests import cc
from tests.conftest import PREFIX

SOURCE = Path(__file__).resolve().parent / "libraries" / "scanner.c"
STRICT = ("-shared", "-fPIC", "-g", "-Wall", "-Wextra", f"-I{cc.INCLUDE}")

# Name of the backend -> how it is compiled.
BACKENDS: dict[str, tuple[str, ...]] = {
    "scan": (),
    "under": ("-DPREFIX=_sane_",),
    "bare": ("-DWITHOUT_READ", "-DWITHOUT_DESCRIPTOR", "-DWITHOUT_CLOSE"),
    "empty": ("-DWITHOUT_ALL",),
    "failing": ('-DKIND="failing init"',),
    "lazy": ("-DUNRESOLVED", "-Wl,-z,lazy"),
    "withusb": ("-Wl,--no-as-needed", "-l:libusb-1.0.so.0"),
    "forgets": ('-DKIND="no version"',),
    "version2": ('-DKIND="version 2"',),
}


def build(folder: Path) -> Path:
    """Build libsane-<name>.so.1 for BACKENDS, a file that is none, and a library of ours."""
    for name, flags in BACKENDS.items():
        kind = () if any(flag.startswith("-DKIND") for flag in flags) else ('-DKIND=""',)
        target = folder / f"libsane-{name}.so.1"
        cc.compile_program(SOURCE, target, *STRICT, f"-DBACKEND={name}", *kind, *flags)
    (folder / "libsane-text.so.1").write_text("no library\n")
    ours = PREFIX / "lib" / "sane" / "libsane-test.so.1"
    shutil.copy(ours, folder / "libsane-ours.so.1")
    return folder


def environment(
    base: dict[str, str], folder: Path, libraries: Path | None = None
) -> dict[str, str]:
    """Return *base* with the backends, a log, and a second copy of our libsane.so.1 in *folder*."""
    if libraries is None:
        libraries = folder / "backends"
        libraries.mkdir()
        build(libraries)
    second = folder / "second"
    second.mkdir()
    shutil.copy(PREFIX / "lib" / "libsane.so.1", second)
    (second / "pysane").symlink_to(PREFIX / "lib" / "pysane")
    return {
        **base,
        "LD_LIBRARY_PATH": f"{base['LD_LIBRARY_PATH']}:{libraries}",
        "SANE_TEST_LOG": str(folder / "log"),
        "SANE_TEST_SECOND": str(second / "libsane.so.1"),
    }
