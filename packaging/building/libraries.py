"""The shims (libsane*.so.1), boot and probe: linked here, not as extension modules.

The shims must not need libpython: they are loaded by programs that have none.
"""

from __future__ import annotations

import os
import sysconfig
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sane.const import LIBRARY_VERSION, OPERATIONS, STATUS_TEXTS

from .toolchain import ABI, Toolchain

if TYPE_CHECKING:
    from collections.abc import Iterable

HELPERS = (  # of libsane.so.1 beside the standard's functions; helpers.c
    *("md5_buffer", "sanei_config_open", "sanei_config_read", "sanei_config_skip_whitespace"),
    *("sanei_debug_msg", "sanei_init_debug"),
)
# The parts of boot, in C and in Cython.
BOOT = ("boot", "threads", "handles", "gate", "turns", "service")
MODULES = ("structs", "direct", "cancel", "lent", "handle", "library_ops")
DEFAULT_SHIMS = "pysane test pnm"


class Libraries:
    """Builds the shims and boot into *lib* (the shims), *lib*/sane (backends) and *package*."""

    def __init__(self, tools: Toolchain) -> None:
        self.tools = tools
        tools.prepare("tables.h", tables())
        self.objects = [tools.cython("shim")]
        self.objects += [tools.compile_own(name) for name in ("library", "fallback")]
        fallback = f'-DPYSANE_FALLBACK="{":".join(fallbacks())}"'
        self.objects.append(tools.compile_own("loader", fallback))
        triplet = sysconfig.get_config_var("MULTIARCH") or "."
        self.objects.append(tools.compile_own("locate", f'-DPYSANE_MULTIARCH="{triplet}"'))

    def all(self, lib: Path, package: Path, probe: Path) -> None:
        """Build everything, with the shims that SHIMS asks for."""
        self.boot(package)
        self.libsane(lib)
        for name, backend in shims().items():
            self.shim(lib / "sane", name, backend)
        self.probe(probe)

    def boot(self, package: Path) -> None:
        """Build boot: interpreter start, the gate and the Python side of the ABI."""
        tools = self.tools
        objects = [tools.compile_own(name) for name in BOOT]
        objects += [tools.cython(name) for name in MODULES]
        tools.link(package / boot_name(), objects, ABI / "boot.map")

    def libsane(self, lib: Path) -> None:
        """Build libsane.so.1."""
        names = (*(f"sane_{operation}" for operation in OPERATIONS), "sane_strstatus", *HELPERS)
        exports = self._exports("libsane", names)
        soname = "-Wl,-soname,libsane.so.1"
        helpers = self.tools.compile_own("helpers")
        objects = [*self.objects, helpers, self._identity("", LIBRARY_VERSION)]
        flags = (soname, "-Wl,--no-undefined")
        self.tools.link(lib / "libsane.so.1", objects, exports, *flags)

    def shim(self, folder: Path, name: str, backend: str) -> None:
        """Build libsane-<name>.so.1, our *backend* for use under another libsane's dll."""
        symbols = (f"sane_{name}_{operation}" for operation in OPERATIONS)
        exports = self._exports(name, ("pysane_shim", *symbols))
        aliases = [f"-Wl,--defsym,sane_{name}_{op}=sane_{op}" for op in OPERATIONS]
        version = LIBRARY_VERSION if backend == "pysane" else backend_version(backend)
        objects = [*self.objects, self._identity(backend, version)]
        soname = f"-Wl,-soname,libsane-{name}.so.1"
        target = folder / f"libsane-{name}.so.1"
        self.tools.link(target, objects, exports, soname, *aliases, "-Wl,-u,pysane_shim")

    def probe(self, target: Path) -> None:
        """Build what asks C backends; two of its symbols stand before libusb's."""
        flags = ("-fvisibility=hidden", "-rdynamic", "-Wall", "-Wextra", "-Werror")
        self.tools.program(Path("sane", "dll", "probe.c"), target, *flags, "-pie", "-fPIE")

    def _exports(self, name: str, symbols: Iterable[str]) -> Path:
        """Return the version script of a library that exports *symbols* and nothing else."""
        lines = "".join(f" {symbol};" for symbol in symbols)
        return self.tools.prepare(f"{name}.map", f"{{ global:{lines} local: *; }};\n")

    def _identity(self, backend: str, version: tuple[int, int, int]) -> Path:
        major, minor, build = version
        code = major << 24 | minor << 16 | build
        flags = (f'-DBACKEND="{backend}"', f"-DVERSION={code}")
        name = f"identity-{backend or 'dll'}"
        return self.tools.compile(ABI / "identity.c", *flags, name=name)


def tables() -> str:
    """Return the header with what C needs of sane/const.py."""
    texts = ", ".join(f'"{text}"' for text in STATUS_TEXTS)
    names = ", ".join(f'"sane_{operation}"' for operation in OPERATIONS)
    lines = (f"#define PYSANE_STATUS_TEXTS {texts}", f"#define PYSANE_OPERATIONS {names}")
    return "/* From sane/const.py, by setup.py. */\n" + "".join(f"{line}\n" for line in lines)


def boot_name() -> str:
    """Return the file name of boot for the interpreter that builds."""
    return f"boot.{sysconfig.get_config_var('SOABI')}.so"


def backend_version(name: str) -> tuple[int, int, int]:
    """Return the version that the class Backend of our backend *name* declares."""
    try:
        version: tuple[int, int, int] = import_module(f"sane.backends.{name}").Backend.version
    except SyntaxError as exc:
        raise SystemExit(f"{exc.filename}:{exc.lineno}: {exc.msg}") from None
    return version


def shims() -> dict[str, str]:
    """Return library name -> backend, from SHIMS (``pytest=test``) and the usual ones."""
    words = f"{DEFAULT_SHIMS} {os.environ.get('SHIMS', '')}".replace(",", " ").split()
    pairs = (word.partition("=") for word in words)
    return {name: backend or name for name, _, backend in pairs}


def fallbacks() -> list[str]:
    """Return where the distribution's libsane may lie; the library skips what is one of ours.

    With .distrib behind it when a diversion put ours in its place (docs/install.md).
    """
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    folders = [f"/usr/lib/{multiarch}"] if multiarch else []
    folders += ["/usr/lib64", "/usr/lib"]
    names = ("libsane.so.1.distrib", "libsane.so.1")
    return [f"{folder}/{name}" for folder in folders for name in names]
