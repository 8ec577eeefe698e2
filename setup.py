"""Builds PySANE: the compiled modules, the shims (libsane*.so.1) and an install prefix.

``stage`` fills an install prefix (``make build``); ``build_ext`` also puts the libraries into a
wheel. Both do only what changed since the last time; how is in packaging/building.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from setuptools import Command, Extension, find_namespace_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

if sys.version_info < (3, 10):  # noqa: UP036 - who starts setup.py asks no metadata
    raise SystemExit(
        f"{sys.executable} is Python {sys.version.split()[0]}, PySANE needs 3.10 or newer: choose "
        "another, as in make PYTHON=python3.11"
    )
ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]  # this tree's package, not an installed one

from building.libraries import Libraries  # noqa: E402
from building.prefix import Prefix, package_files  # noqa: E402
from building.runtime import wheel_text  # noqa: E402
from building.toolchain import Toolchain  # noqa: E402

# The compiled modules. Each is a plain Python file with a .pxd beside it and runs uncompiled too;
# those of the second list speak C and are .pyx.
COMPILED = (
    *("sane.constraint", "sane.image.lines", "sane.image.rows", "sane.image.weave"),
    *("sane.image.gamma", "sane.image.shading", "sane.image.scaling", "sane.image.png_rows"),
    "sane.image.lineart",
    *("sane.image.edges", "sane.image.retouch"),
    "sane.net.stream",
    *("sane.backends.epson2.blocks", "sane.backends.test.stream"),
)
COMPILED_ONLY = (
    *("sane.usb.transfers", "sane.usb.inflight", "sane.backends._epson.blocks"),
    *("sane.dll.native", "sane.sigmask", "sane.spawn", "sane.sessions.pump"),
    *("sane.image.jpeg", "sane.image.jpeg_encoder"),
)
# The libraries that they need.
LINKED = {"sane.image.jpeg": ["jpeg"], "sane.image.jpeg_encoder": ["jpeg"]}

link = ROOT / "sane" / "backends"
if not link.exists() and (ROOT / "backends").is_dir():  # an sdist has no links
    link.symlink_to("../backends")


def compiled_modules(tools: Toolchain) -> list[Path]:
    """Return the files of the compiled modules, which *tools* will make."""
    paths = [tools.module(name, ".py", []) for name in COMPILED]
    return paths + [tools.module(name, ".pyx", LINKED.get(name, [])) for name in COMPILED_ONLY]


class BuildExt(build_ext):
    """Puts the compiled modules and the libraries, in sane/lib, into a wheel.

    Nothing is compiled in place: an editable install is for the Python API, uncompiled.
    """

    def run(self) -> None:
        if self.inplace:
            return
        os.chdir(ROOT)
        target = Path(self.build_lib)
        lib = target / "sane" / "lib"
        package = lib / "pysane"
        soabi = sysconfig.get_config_var("SOABI")
        tools = Toolchain(Path("build", "wheels", soabi), is_portable=True)
        for path in compiled_modules(tools):
            tools.place(path, target / path.relative_to(tools.folder / "modules"))
        Libraries(tools).all(lib, package, package / "probe")
        tools.write(package / "pysane.runtime", wheel_text())
        tools.place(Path("etc", "dll.conf"), package / "dll.conf")
        tools.run()


class BuildPy(build_py):
    """Takes the data files of the package into the wheel, and no sources of the libraries."""

    def find_data_files(self, package: str, src_dir: str) -> list[str]:
        folder = Path(src_dir)
        return [str(path) for path in package_files()[1] if path.parent == folder]


class Stage(Command):
    """Fills an install prefix: libraries, package, headers, configuration, manual pages."""

    description = "fill an install prefix"
    user_options = [("prefix=", None, "where (default build/prefix)")]

    def initialize_options(self) -> None:
        self.prefix = "build/prefix"

    def finalize_options(self) -> None:
        self.target = Path(os.path.relpath(self.prefix))

    def run(self) -> None:
        tools = Toolchain(self.target.with_name(f"{self.target.name}-obj"))
        Prefix(self.target, tools).fill(compiled_modules(tools))


if __name__ == "__main__":
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise SystemExit(
            f"{sys.executable} is a free-threaded Python, PySANE needs one with the GIL: choose "
            "another, as in make PYTHON=python3.13"
        )
    os.chdir(ROOT)
    names = (*COMPILED, *COMPILED_ONLY)  # a wheel with these belongs to one platform
    pages = sorted(Path("docs", "man").glob("*.[1-8]"))
    sections = sorted({page.suffix[1] for page in pages})
    setup(
        packages=[
            *find_namespace_packages(
                include=["sane", "sane.*"], exclude=["*.__pycache__", "sane.compat._sane"]
            ),
            "_sane",  # a folder wins over python-sane's _sane.*.so beside it
            "_pysane_programs",
        ],
        package_dir={"_sane": "sane/compat/_sane", "_pysane_programs": "packaging/programs"},
        data_files=[
            (f"share/man/man{number}", [str(page) for page in pages if page.suffix[1] == number])
            for number in sections
        ],
        ext_modules=[Extension(name, []) for name in names],
        cmdclass={"build_ext": BuildExt, "build_py": BuildPy, "stage": Stage},
        zip_safe=False,
    )
