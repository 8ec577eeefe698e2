"""Builds PySANE: the compiled modules, the shims (libsane*.so.1) and an install prefix.

``stage`` fills an install prefix (``make build``); ``build_ext`` also puts the libraries into a
wheel. The shims are linked here, not as extension modules: they must not need libpython.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from setuptools import Command, Extension, find_namespace_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # this tree's package, not one that is installed

from sane.const import OPERATIONS, STATUS_TEXTS  # noqa: E402

ABI = ROOT / "sane" / "abi"
LIBRARY_VERSION = (1, 2, 1)  # what libsane.so.1 and libsane-pysane.so.1 report
HELPERS = (  # of libsane.so.1 beside the standard's functions; helpers.c
    *("md5_buffer", "sanei_config_open", "sanei_config_read", "sanei_config_skip_whitespace"),
    *("sanei_debug_msg", "sanei_init_debug"),
)
MODULES = ("structs", "direct", "handle", "library_ops")  # the Cython part of boot
DEFAULT_SHIMS = "pysane test pnm"

# The compiled modules. Each is a plain Python file with a .pxd beside it and runs uncompiled too;
# those of the second list speak C and are .pyx.
COMPILED = (
    *("sane.constraint", "sane.image.lines", "sane.image.rows", "sane.image.weave"),
    "sane.net.stream",
    *("sane.backends.epson2.blocks", "sane.backends.test.stream"),
)
COMPILED_ONLY = (
    *("sane.usb.transfers", "sane.backends._epson.blocks", "sane.dll.native", "sane.dll.spawn"),
    *("sane.sessions.pump", "sane.image.jpeg"),
)
LINKED = {"sane.image.jpeg": ["jpeg"]}  # the libraries that they need

EXAMPLES = "share/doc/pysane/examples"

link = ROOT / "sane" / "backends"
if not link.exists() and (ROOT / "backends").is_dir():  # an sdist has no links
    link.symlink_to("../backends")


def extensions() -> list[Extension]:
    """Return the compiled modules; directives as in every Cython file of the project."""
    from Cython.Build import cythonize

    modules = [Extension(name, [f"{name.replace('.', '/')}.py"]) for name in COMPILED]
    headers = [str(ROOT / "include"), str(ABI)]
    modules += [
        Extension(
            name,
            [f"{name.replace('.', '/')}.pyx"],
            include_dirs=headers,
            libraries=LINKED.get(name, []),
        )
        for name in COMPILED_ONLY
    ]
    directives = {"language_level": 3, "binding": False}
    return cythonize(modules, compiler_directives=directives, build_dir="build/cython", quiet=True)


def run(*command: object) -> None:
    """Run a command; its failure fails the build, with the command shown."""
    line = [str(part) for part in command]
    if subprocess.run(line, check=False).returncode:
        raise SystemExit(f"failed: {shlex.join(line)}")


class Toolchain:
    """The C compiler with the flags for our libraries; objects go to *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.cc = shlex.split(os.environ.get("CC", "gcc"))
        self.flags = [
            *shlex.split(os.environ.get("CFLAGS", "-O2 -g")),
            *("-std=gnu11", "-fPIC", "-pthread", "-ffunction-sections", "-fdata-sections"),
            *(
                f"-I{path}"
                for path in (ROOT / "include", ABI, folder, sysconfig.get_path("include"))
            ),
        ]
        self.program_flags = [*shlex.split(os.environ.get("LDFLAGS", "")), "-Wl,-z,relro,-z,now"]
        self.link_flags = [
            *shlex.split(os.environ.get("LDFLAGS", "")),
            *("-shared", "-pthread", "-Wl,--gc-sections", "-Wl,-Bsymbolic"),
            *("-Wl,-z,now", "-Wl,-z,relro", "-Wl,-z,nodelete"),
        ]

    def compile(self, source: Path, *flags: str, name: str = "") -> Path:
        """Compile one C file and return the object."""
        target = self.folder / f"{name or source.stem}.o"
        run(*self.cc, *self.flags, *flags, "-c", source, "-o", target)
        return target

    def compile_own(self, name: str, *flags: str) -> Path:
        """Compile a C file of ours: nothing visible, every warning counts."""
        strict = ("-fvisibility=hidden", "-Wall", "-Wextra", "-Werror")
        return self.compile(ABI / f"{name}.c", *strict, *flags)

    def cythonize(self, name: str) -> Path:
        """Translate and compile one .pyx of sane/abi."""
        source = self.folder / f"{name}.c"
        run(sys.executable, "-m", "cython", "-3", "-I", ROOT, ABI / f"{name}.pyx", "-o", source)
        return self.compile(source, "-Wno-unused-function", name=f"{name}.pyx")

    def link(self, target: Path, objects: list[Path], exports: Path, *flags: str) -> None:
        """Link a shared library that exports what the version script *exports* says."""
        target.parent.mkdir(parents=True, exist_ok=True)
        script = f"-Wl,--version-script={exports}"
        run(*self.cc, *self.link_flags, *objects, script, *flags, "-o", target, "-ldl")


def build_probe(tools: Toolchain, target: Path) -> None:
    """Build the helper that asks C backends; two of its symbols stand before libusb's."""
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = ("-fvisibility=hidden", "-rdynamic", "-Wall", "-Wextra", "-Werror", "-pie", "-fPIE")
    source = ROOT / "sane" / "dll" / "probe.c"
    run(*tools.cc, *tools.flags, *flags, source, "-o", target, *tools.program_flags, "-ldl")


class Libraries:
    """Builds the shims and boot into *lib* (the shims), *lib*/sane (backends) and *package*."""

    def __init__(self, tools: Toolchain) -> None:
        self.tools = tools
        write_tables(tools.folder / "tables.h")
        self.objects = [tools.cythonize("shim")]
        self.objects += [tools.compile_own(name) for name in ("library", "fallback")]
        fallback = f'-DPYSANE_FALLBACK="{":".join(fallbacks())}"'
        self.objects.append(tools.compile_own("loader", fallback))
        self.helpers = tools.compile_own("helpers")

    def boot(self, package: Path) -> None:
        """Build boot: interpreter start, the gate and the Python side of the ABI."""
        tools = self.tools
        objects = [tools.compile_own(name) for name in ("boot", "gate", "service")]
        objects += [tools.cythonize(name) for name in MODULES]
        tools.link(package / boot_name(), objects, ABI / "boot.map")

    def libsane(self, lib: Path) -> None:
        """Build libsane.so.1."""
        names = (*(f"sane_{operation}" for operation in OPERATIONS), "sane_strstatus", *HELPERS)
        exports = self._exports("libsane", names)
        soname = "-Wl,-soname,libsane.so.1"
        objects = [*self.objects, self.helpers, self._identity("", LIBRARY_VERSION)]
        flags = (soname, "-Wl,--no-undefined")
        self.tools.link(lib / "libsane.so.1", objects, exports, *flags)
        (lib / "libsane.so").unlink(missing_ok=True)
        (lib / "libsane.so").symlink_to("libsane.so.1")

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

    def _exports(self, name: str, symbols: Iterable[str]) -> Path:
        """Write the version script of a library that exports *symbols* and nothing else."""
        script = self.tools.folder / f"{name}.map"
        lines = "".join(f" {symbol};" for symbol in symbols)
        script.write_text(f"{{ global:{lines} local: *; }};\n", encoding="ascii")
        return script

    def _identity(self, backend: str, version: tuple[int, int, int]) -> Path:
        major, minor, build = version
        code = major << 24 | minor << 16 | build
        return self.tools.compile(
            ABI / "identity.c",
            f'-DBACKEND="{backend}"',
            f"-DVERSION={code}",
            name=f"identity-{backend or 'dll'}",
        )


def write_tables(target: Path) -> None:
    """Write the header with what C needs of sane/const.py."""
    texts = ", ".join(f'"{text}"' for text in STATUS_TEXTS)
    names = ", ".join(f'"sane_{operation}"' for operation in OPERATIONS)
    lines = (f"#define PYSANE_STATUS_TEXTS {texts}", f"#define PYSANE_OPERATIONS {names}")
    text = "/* From sane/const.py, by setup.py. */\n" + "".join(f"{line}\n" for line in lines)
    if not target.exists() or target.read_text(encoding="ascii") != text:
        target.write_text(text, encoding="ascii")


def boot_name() -> str:
    """Return the file name of boot for the interpreter that builds."""
    return f"boot.{sysconfig.get_config_var('SOABI')}.so"


def backend_version(name: str) -> tuple[int, int, int]:
    """Return the version that the class Backend of our backend *name* declares."""
    module = __import__(f"sane.backends.{name}", fromlist=["Backend"])
    version: tuple[int, int, int] = module.Backend.version
    return version


def shims() -> dict[str, str]:
    """Return library name -> backend, from SHIMS (``pytest=test``) and the usual ones."""
    words = f"{DEFAULT_SHIMS} {os.environ.get('SHIMS', '')}".replace(",", " ").split()
    pairs = (word.partition("=") for word in words)
    return {name: backend or name for name, _, backend in pairs}


def base_python(code: str) -> str:
    """Return what *code* prints in the base interpreter, outside any virtual environment."""
    executable = getattr(sys, "_base_executable", None) or sys.executable
    command = [executable, "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def shared_libpython() -> Path:
    """Return the shared libpython of this interpreter; ends the build with the remedy."""
    name = sysconfig.get_config_var("INSTSONAME") or ""
    folders = [sysconfig.get_config_var("LIBDIR") or ""]
    folders.append(f"{folders[0]}/{sysconfig.get_config_var('MULTIARCH') or ''}")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in folders:
        for candidate in (name, f"libpython{version}.so.1.0"):
            path = Path(folder, candidate)
            if ".so" in candidate and path.exists():
                return path
    raise SystemExit(
        f"this Python {version} has no shared libpython: install libpython{version} (apt), or "
        "choose another with make PYTHON=..., or build it with --enable-shared"
    )


def fallbacks() -> list[str]:
    """Return where the distribution's libsane may lie; the library skips what is one of ours.

    With .distrib behind it when a diversion put ours in its place (docs/install.md).
    """
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    folders = [f"/usr/lib/{multiarch}"] if multiarch else []
    folders += ["/usr/lib64", "/usr/lib"]
    names = ("libsane.so.1.distrib", "libsane.so.1")
    return [f"{folder}/{name}" for folder in folders for name in names]


def write_runtime(folder: Path, **extra: str) -> None:
    """Write pysane.runtime: where the interpreter is that the libraries were built for."""
    stdlib = base_python(
        "import sys; print(':'.join(p for p in sys.path if 'site-packages' "
        "not in p and 'dist-packages' not in p))"
    )
    sites = base_python("import site; print(':'.join(site.getsitepackages()))")
    values = {
        "libpython": str(shared_libpython()),
        "version": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "soabi": sysconfig.get_config_var("SOABI"),
        "home": sys.base_prefix,
        "stdlib": stdlib,
        "path": f"deps:{sites}",
        "boot": boot_name(),
        "fallback": ":".join(fallbacks()),
        **extra,
    }
    lines = "".join(f"{key}={value}\n" for key, value in values.items())
    text = f"# Which Python PySANE uses; relative paths begin here. Written at build time.\n{lines}"
    (folder / "pysane.runtime").write_text(text, encoding="utf-8")


class BuildExt(build_ext):
    """Compiles the modules; for a wheel also the libraries, into sane/lib."""

    def run(self) -> None:
        super().run()
        if self.inplace or self.distribution.command_obj.get("stage"):
            return
        lib = Path(self.build_lib, "sane", "lib")
        package = lib / "pysane"
        package.mkdir(parents=True, exist_ok=True)
        libraries = Libraries(Toolchain(ROOT / "build" / "obj"))
        libraries.boot(package)
        libraries.libsane(lib)
        (lib / "libsane.so").unlink()  # a wheel holds no links
        for name, backend in shims().items():
            libraries.shim(lib / "sane", name, backend)
        build_probe(libraries.tools, package / "probe")
        write_runtime(package, package="../../..")


class BuildPy(build_py):
    """Leaves the sources of the libraries out of the wheel."""

    def find_data_files(self, package: str, src_dir: str) -> list[str]:
        return []


class Stage(Command):
    """Fills an install prefix: libraries, package, headers, configuration, manual pages."""

    description = "fill an install prefix"
    user_options = [("prefix=", None, "where (default build/prefix)")]

    def initialize_options(self) -> None:
        self.prefix = "build/prefix"

    def finalize_options(self) -> None:
        self.final = Path(self.prefix).resolve()
        self.target = self.final.with_name(f"{self.final.name}.new")

    def run(self) -> None:
        shutil.rmtree(self.target, ignore_errors=True)
        self.fill()
        shutil.rmtree(self.final, ignore_errors=True)  # at the end: a failed build leaves the old
        self.target.rename(self.final)

    def fill(self) -> None:
        """Build everything below the target."""
        lib = self.target / "lib"
        package = lib / "pysane"
        package.mkdir(parents=True)
        libraries = Libraries(Toolchain(self.final.with_name("obj")))
        libraries.boot(package)
        libraries.libsane(lib)
        for name, backend in shims().items():
            libraries.shim(lib / "sane", name, backend)
        self.package(package)
        write_runtime(package)
        self.texts()
        build_probe(libraries.tools, self.target / "libexec" / "pysane" / "probe")

    def package(self, package: Path) -> None:
        """Copy the Python package and its compiled modules, and compile the bytecode."""
        for folder, source in (("sane", ROOT / "sane"), ("sane/backends", ROOT / "backends")):
            for path in sorted(source.rglob("*.py")):
                if path.is_relative_to(ROOT / "sane" / "backends"):
                    continue
                copy(path, package / folder / path.relative_to(source))
        build = self.get_finalized_command("build_ext")
        build.inplace = False
        build.build_lib = str(package)
        build.build_temp = str(self.final.with_name("temp"))
        build.run()
        (package / "backends").mkdir()
        usb = base_python("import importlib.util as u; print(u.find_spec('usb') is not None)")
        if usb == "False":
            copy_module("usb", package / "deps")
        run(
            sys.executable,
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            package,
            "-p",
            "/pysane",
            package,
        )

    def texts(self) -> None:
        """Copy what is not code; fill in the places."""
        for name in ("sane.h", "saneopts.h"):
            copy(ROOT / "include" / "sane" / name, self.target / "include" / "sane" / name)
        for path in [*sorted((ROOT / "etc").glob("*.conf")), ROOT / "etc" / "dll.aliases"]:
            copy(path, self.target / "etc" / "sane.d" / path.name)
        (self.target / "etc" / "sane.d" / "dll.d").mkdir()
        for path in sorted((ROOT / "docs" / "man").glob("*.[1-8]")):
            copy(path, self.target / "share" / "man" / f"man{path.suffix[1]}" / path.name)
        for folder in ("sbin", "libexec/pysane"):
            (self.target / folder).mkdir(parents=True)
        for name, target in (
            ("include/sane-backends.pc.in", "lib/pkgconfig/sane-backends.pc"),
            ("include/sane-config.in", "bin/sane-config"),
            ("sane/cli/pysane-scan.in", "bin/pysane-scan"),
            ("sane/cli/sane-find-scanner.in", "bin/sane-find-scanner"),
            ("sane/saned/saned.in", "sbin/saned"),
            ("etc/systemd/pysane-saned.socket", "lib/systemd/system/pysane-saned.socket"),
            ("etc/systemd/pysane-saned.service.in", "lib/systemd/system/pysane-saned.service"),
            ("etc/examples/saned.xinetd.in", f"{EXAMPLES}/saned.xinetd"),
            ("etc/examples/saned.inetd.in", f"{EXAMPLES}/saned.inetd"),
            ("etc/examples/services", f"{EXAMPLES}/services"),
            ("etc/examples/saned.users", f"{EXAMPLES}/saned.users"),
        ):
            fill_in(ROOT / name, self.target / target, self.final)
        for what, place in (
            ("rules", "rules.d/60-pysane.rules"),
            ("hwdb", "hwdb.d/20-pysane.hwdb"),
        ):
            path = self.target / "lib" / "udev" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "sane.cli.udev", what]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            path.write_text(done.stdout, encoding="utf-8")


def fill_in(source: Path, target: Path, prefix: Path) -> None:
    """Write the template *source* to *target*; programs become executable."""
    text = source.read_text(encoding="utf-8")
    executable = getattr(sys, "_base_executable", None) or sys.executable
    for key, value in (
        ("@PREFIX@", prefix),
        ("@LIBDIR@", prefix / "lib"),
        ("@INCLUDEDIR@", prefix / "include"),
        ("@VERSION@", ".".join(map(str, LIBRARY_VERSION))),
        ("@PYTHON@", Path(executable).resolve()),
    ):
        text = text.replace(key, str(value))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    target.chmod(0o755 if target.parent.name in ("bin", "sbin") else 0o644)


def copy(source: Path, target: Path) -> None:
    """Copy one file, making its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def copy_module(name: str, target: Path) -> None:
    """Copy an installed pure Python package of the building environment."""
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the building environment lacks the package {name}: pip install py{name}")
    source = Path(spec.submodule_search_locations[0])
    for path in sorted(source.rglob("*.py")):
        copy(path, target / name / path.relative_to(source))


if __name__ == "__main__":
    wanted = {"stage", "build_ext", "bdist_wheel", "build", "install", "develop"}
    building = bool(wanted.intersection(sys.argv)) or "setuptools" in sys.argv[0]
    setup(
        packages=find_namespace_packages(include=["sane", "sane.*"], exclude=["*.__pycache__"]),
        ext_modules=extensions() if building or "build_meta" in sys.modules else [],
        cmdclass={"build_ext": BuildExt, "build_py": BuildPy, "stage": Stage},
        zip_safe=False,
    )
