"""The compilers: each method notes the steps for one object or library and returns its path."""

from __future__ import annotations

import functools
import hashlib
import os
import py_compile
import shlex
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from .steps import Build, Failed, Step

ABI = Path("sane", "abi")
INCLUDES = (Path("include"), ABI)
QUIET = ("-X", "show_performance_hints=False")
LINES = "-g1"  # Cython's C: a debugger shows lines, not variables; compiles in 4/5 of the time


def words(name: str) -> list[str]:
    """Return the words of an environment variable, of Python's own setting without it."""
    return shlex.split(os.environ.get(name) or sysconfig.get_config_var(name) or "")


class Toolchain:
    """Cython and the C compiler; what they make goes to *folder*.

    CC, CFLAGS and LDFLAGS are taken from the environment. Extension modules are compiled as this
    Python was, our libraries with flags of their own. is_portable: what is made refers to no folder
    of this machine, as the run path that Python's own settings may hold.
    """

    def __init__(self, folder: Path, is_portable: bool = False) -> None:
        self.folder = Path(os.path.relpath(folder))
        self.texts: list[list[Step]] = []
        self.objects: list[list[Step]] = []
        self.links: list[list[Step]] = []
        self.places: list[list[Step]] = []
        extra = shlex.split(os.environ.get("CFLAGS", ""))
        ldflags = shlex.split(os.environ.get("LDFLAGS", ""))
        headers = sysconfig.get_path("include")
        includes = [f"-I{path}" for path in (*INCLUDES, headers)]
        if is_portable:
            includes += [f"-ffile-prefix-map={path}=." for path in (headers, Path.cwd())]
        self.cc = shlex.split(os.environ.get("CC") or "gcc")
        self.flags = [
            *(extra or ("-O2", "-g")),
            *("-std=gnu11", "-fPIC", "-pthread", "-ffunction-sections", "-fdata-sections"),
            *(*includes, f"-I{self.folder}"),
        ]
        self.program_flags = [*ldflags, "-Wl,-z,relro,-z,now"]
        self.link_flags = [
            *ldflags,
            *("-shared", "-pthread", "-Wl,--gc-sections", "-Wl,-Bsymbolic"),
            *("-Wl,-z,now", "-Wl,-z,relro", "-Wl,-z,nodelete"),
        ]
        python_cc = shlex.split(sysconfig.get_config_var("CC") or "gcc")
        shared = shlex.split(sysconfig.get_config_var("LDSHARED") or "gcc -shared")
        self.module_cc = words("CC")
        self.module_flags = [
            *shlex.split(sysconfig.get_config_var("CFLAGS") or ""),
            *shlex.split(sysconfig.get_config_var("CCSHARED") or "-fPIC"),
            *(extra or (LINES,)),
            *includes,
        ]
        linking = shared[len(python_cc) :]
        if is_portable:
            linking = [word for word in linking if not word.startswith(("-L", "-Wl,-rpath"))]
        self.module_link = [*self.module_cc, *linking, *ldflags, *extra]

    def build(self) -> Build:
        """Return the memory of what was built in the folder by these tools."""
        return Build(self.folder, self._versions())

    def _versions(self) -> str:
        digest = hashlib.sha256()
        for name in ("toolchain.py", "steps.py"):  # what the others ask for is in each step's key
            digest.update(Path(__file__).with_name(name).read_bytes())
        versions = [compiler_version(tuple(cc)) for cc in (self.cc, self.module_cc)]
        return repr((digest.hexdigest(), sys.version, metadata.version("Cython"), *versions))

    def compile(self, source: Path, *flags: object, name: str = "") -> Path:
        """Compile one C file into an object of one of our libraries."""
        target = self.folder / f"{name or source.stem}.o"
        self.objects.append([self._compile(source, target, [*self.cc, *self.flags, *flags])])
        return target

    def compile_own(self, name: str, *flags: object) -> Path:
        """Compile a C file of ours: nothing visible, every warning counts."""
        strict = ("-fvisibility=hidden", "-Wall", "-Wextra", "-Werror")
        return self.compile(ABI / f"{name}.c", *strict, *flags)

    def cython(self, name: str) -> Path:
        """Translate and compile one .pyx of sane/abi for one of our libraries."""
        source, target = self.folder / f"{name}.c", self.folder / f"{name}.pyx.o"
        command = [*self.cc, *self.flags, LINES, "-Wno-unused-function"]
        translation = translate(ABI / f"{name}.pyx", source, f"sane.abi.{name}")
        self.objects.append([translation, self._compile(source, target, command)])
        return target

    def module(self, name: str, suffix: str, libraries: list[str]) -> Path:
        """Make the extension module *name* of a source that ends in *suffix*."""
        path = Path(*name.split("."))
        base = self.folder / "modules" / path
        source, target = base.with_suffix(".c"), base.with_suffix(".o")
        library = base.with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
        translation = translate(path.with_suffix(suffix), source, name)
        compilation = self._compile(source, target, [*self.module_cc, *self.module_flags])
        self.objects.append([translation, compilation])
        needed = [f"-l{name}" for name in libraries]
        command = [*self.module_link, target, *needed, "-o", library]
        self.links.append([Step(library, [target], command=command)])
        return library

    def link(self, target: Path, objects: list[Path], exports: Path, *flags: str) -> None:
        """Link a shared library that exports what the version script *exports* says."""
        made = self.folder / "libraries" / target.name
        script = f"-Wl,--version-script={exports}"
        command = [*self.cc, *self.link_flags, *objects, script, *flags, "-o", made, "-ldl"]
        self.links.append([Step(made, [*objects, exports], command=command)])
        self.place(made, target)

    def program(self, source: Path, target: Path, *flags: str) -> None:
        """Compile and link a program of one C file."""
        made = self.folder / "libraries" / target.name
        command = [*self.cc, *self.flags, *flags, source, "-o", made, *self.program_flags, "-ldl"]
        self.links.append([self._reporting(made, source, command)])
        self.place(made, target)

    def place(self, source: Path, target: Path) -> None:
        """Put a file where it is used, when everything is compiled; *source* may be made later."""
        self.places.append([copying(source, target)])

    def write(self, target: Path, text: str, executable: bool = False) -> None:
        """Write a text file where it is used."""
        self.places.append([writing(target, text, executable)])

    def prepare(self, name: str, text: str) -> Path:
        """Write a text file that compilers read, in the folder; return its path."""
        target = self.folder / name
        self.texts.append([writing(target, text)])
        return target

    def bytecode(self, source: Path, name: Path, target: Path) -> None:
        """Compile a Python file for *target*; tracebacks call it /pysane/*name*."""
        made = self.folder / "bytecode" / name.with_suffix(".pyc")
        shown = f"/pysane/{name}"

        def compile_python() -> None:
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            try:
                py_compile.compile(str(source), str(made), shown, True, invalidation_mode=mode)
            except py_compile.PyCompileError as exc:
                raise Failed(exc.msg) from exc

        self.objects.append([Step(made, [source], function=compile_python, key=shown)])
        self.place(made, target)

    def run(self) -> set[Path]:
        """Do what was noted; return the files that exist now. Raises SystemExit if one fails.

        What is used changes only when everything could be compiled and linked.
        """
        rounds = (self.texts, self.objects, self.links, self.places)
        wanted = {step.target for jobs in rounds for job in jobs for step in job}
        try:
            build = self.build()
            with build.locked():
                build.forget(wanted)
                for jobs in rounds:
                    build.run(jobs)
        except Failed as exc:
            raise SystemExit(str(exc)) from None
        return wanted

    def _compile(self, source: Path, target: Path, command: list[object]) -> Step:
        return self._reporting(target, source, [*command, "-c", source, "-o", target])

    def _reporting(self, target: Path, source: Path, command: list[object]) -> Step:
        """Return a step that lets the C compiler report which headers it has read."""
        report = self.folder / "reports" / f"{target.relative_to(self.folder)}.d"
        report.parent.mkdir(parents=True, exist_ok=True)
        command = [*command, "-MMD", "-MF", report]
        return Step(target, [source], command=command, reported=report)


def translate(source: Path, target: Path, name: str) -> Step:
    """Return the step from Cython to C; a .pxd beside the source counts, also one not yet there."""
    command = [sys.executable, "-m", "cython", "-3", "-X", "binding=False", *QUIET, "-M", "-I", "."]
    command += ["--module-name", name, str(source), "-o", str(target)]
    report = target.with_name(f"{target.name}.dep")
    inputs = [source, source.with_suffix(".pxd")]
    return Step(target, inputs, command=command, reported=report)


def copying(source: Path, target: Path) -> Step:
    """Return the step that copies one file; a library in use is replaced, not written into."""

    def copy() -> None:
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_bytes(source.read_bytes())
        fresh.chmod(source.stat().st_mode & 0o755 | 0o644)
        fresh.replace(target)

    return Step(target, [source], function=copy, key=source)


def writing(target: Path, text: str, executable: bool = False) -> Step:
    """Return the step that writes a text file."""

    def write() -> None:
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o755 if executable else 0o644)
        fresh.replace(target)

    return Step(target, [], function=write, key=(text, executable))


@functools.cache
def compiler_version(cc: tuple[str, ...]) -> str:
    """Return what the compiler says it is; raises Failed when there is none."""
    try:
        done = subprocess.run([*cc, "--version"], capture_output=True, text=True, check=False)
    except OSError as exc:
        raise Failed(
            f"no C compiler: {shlex.join(cc)}: {exc.strerror}; install gcc and libc6-dev, or take "
            "a wheel, which needs none: pip install --only-binary sane-stack sane-stack"
        ) from exc
    return done.stdout
