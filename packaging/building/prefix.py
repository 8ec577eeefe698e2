"""The install prefix: which file of the tree goes where."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

from sane.const import LIBRARY_VERSION

from .libraries import Libraries
from .runtime import Runtime, base_executable
from .steps import Failed, Step
from .toolchain import Toolchain

SOURCES = (".py", ".pyx", ".pxd", ".c", ".h", ".map", ".in", ".pyc", ".so")
EXAMPLES = "share/doc/pysane/examples"
TEMPLATES = (
    ("include/sane-backends.pc.in", "lib/pkgconfig/sane-backends.pc"),
    ("include/sane-config.in", "bin/sane-config"),
    ("sane/cli/pysane.in", "bin/pysane"),
    ("sane/cli/pysane-scan.in", "bin/pysane-scan"),
    ("sane/cli/pysane-scanimage.in", "bin/pysane-scanimage"),
    ("sane/cli/sane-find-scanner.in", "bin/sane-find-scanner"),
    ("sane/saned/saned.in", "sbin/saned"),
    ("etc/systemd/pysane-saned.socket", "lib/systemd/system/pysane-saned.socket"),
    ("etc/systemd/pysane-saned.service.in", "lib/systemd/system/pysane-saned.service"),
    ("etc/systemd/pysane-share.service.in", "lib/systemd/system/pysane-share.service"),
    ("etc/examples/saned.xinetd.in", f"{EXAMPLES}/saned.xinetd"),
    ("etc/examples/saned.inetd.in", f"{EXAMPLES}/saned.inetd"),
    ("etc/examples/services", f"{EXAMPLES}/services"),
    ("etc/examples/saned.users", f"{EXAMPLES}/saned.users"),
    ("etc/examples/pysane-cli.toml", f"{EXAMPLES}/pysane-cli.toml"),
)
COMPLETIONS = (
    ("bash", "share/bash-completion/completions/pysane"),
    ("zsh", "share/zsh/site-functions/_pysane"),
    ("fish", "share/fish/vendor_completions.d/pysane.fish"),
)
OF_DRIVERS = (  # what is written from their data
    ("rules", "lib/udev/rules.d/60-pysane.rules"),
    ("hwdb", "lib/udev/hwdb.d/20-pysane.hwdb"),
    ("metainfo", "share/metainfo/org.pypi.sane_stack.metainfo.xml"),
)
SHARE = Path("etc/pysane-share.toml")
EMPTY = ("etc/sane.d/dll.d", "lib/pysane/backends")  # folders that are there without a file


def package_files() -> tuple[list[Path], list[Path]]:
    """Return the Python files of the package and the data files beside them."""
    python, data = [], []
    for path in sorted([*Path("sane").rglob("*"), *Path("sane/backends").rglob("*")]):
        if not path.is_file() or path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.suffix == ".py":
            python.append(path)
        elif path.suffix not in SOURCES:
            data.append(path)
    return list(dict.fromkeys(python)), list(dict.fromkeys(data))


class Prefix:
    """Fills the folder *target* with what programs need; *modules* are the compiled ones."""

    def __init__(self, target: Path, tools: Toolchain) -> None:
        self.target = target
        self.tools = tools
        self.package = target / "lib" / "pysane"

    def fill(self, modules: list[Path]) -> None:
        """Note the steps and do them; then remove what does not belong there any more."""
        probe = self.target / "libexec" / "pysane" / "probe"
        Libraries(self.tools).all(self.target / "lib", self.package, probe)
        for path in modules:
            below = path.relative_to(self.tools.folder / "modules")
            self.tools.place(path, self.package / below)
        self._python()
        self._texts()
        made = self.tools.run()
        link = self.target / "lib" / "libsane.so"
        if not link.is_symlink():
            link.symlink_to("libsane.so.1")
        for name in EMPTY:
            (self.target / name).mkdir(parents=True, exist_ok=True)
        self._remove_others({*made, link})

    def _python(self) -> None:
        python, data = package_files()
        runtime = Runtime()
        for path in data:
            self.tools.place(path, self.package / path)
        pairs = [(path, path) for path in python]
        pairs += [(source, Path("deps", place)) for source, place in runtime.bundled()]
        for source, place in pairs:
            target = self.package / place
            self.tools.place(source, target)
            cached = Path(cache_from_source(str(target)))
            self.tools.bytecode(source, place, cached)
        self.tools.write(self.package / "pysane.runtime", runtime.text())
        for what, name in OF_DRIVERS:
            self._printed(["sane.cli.udev", what], self.target / name, python)
        program = [path for path in python if path.is_relative_to("sane/cli")]
        for shell, name in COMPLETIONS:
            self._printed(["sane.cli.pysane", "completion", shell], self.target / name, program)

    def _texts(self) -> None:
        for name in ("sane.h", "saneopts.h"):
            self.tools.place(Path("include/sane", name), self.target / "include/sane" / name)
        for path in [*sorted(Path("etc").glob("*.conf")), Path("etc/dll.aliases"), SHARE]:
            self.tools.place(path, self.target / "etc/sane.d" / path.name)
        for path in sorted(Path("docs/man").glob("*.[1-8]")):
            self.tools.place(path, self.target / f"share/man/man{path.suffix[1]}" / path.name)
        for name, place in TEMPLATES:
            target = self.target / place
            text = fill_in(Path(name).read_text(encoding="utf-8"), self.target.resolve())
            self.tools.write(target, text, target.parent.name in ("bin", "sbin"))

    def _printed(self, words: list[str], target: Path, inputs: list[Path]) -> None:
        """Note that the file *target* is what the module and arguments in *words* print."""
        command = [sys.executable, "-m", *words]

        def generate() -> None:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                raise Failed(f"{done.stderr}failed: {' '.join(command)}")
            target.write_text(done.stdout, encoding="utf-8")

        self.tools.places.append([Step(target, inputs, function=generate, key=words[-1])])

    def _remove_others(self, kept: set[Path]) -> None:
        for path in sorted(self.target.rglob("*"), reverse=True):  # what lies in a folder first
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()) and str(path.relative_to(self.target)) not in EMPTY:
                    path.rmdir()
            elif path not in kept:
                path.unlink()


def fill_in(text: str, prefix: Path) -> str:
    """Return a template with the places of the installation *prefix* in it."""
    for key, value in (
        ("@PREFIX@", prefix),
        ("@VERSION@", ".".join(map(str, LIBRARY_VERSION))),
        ("@PYTHON@", base_executable()),
    ):
        text = text.replace(key, str(value))
    return text
