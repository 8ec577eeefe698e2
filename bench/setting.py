"""Where the bench runs: the two libraries, the compiled C programs, their environment.

It starts programs and reads the "name value" lines that they print; it knows no rows.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "build" / "prefix"
PROGRAMS = ROOT / "build" / "bench"
TIMEOUT_SECONDS = 60

Sample = dict[str, float]


class BenchError(Exception):
    """A program that was to be measured failed: the row says so, the bench goes on."""


class Library:
    """One of the two libsane.so.1; folder is its LD_LIBRARY_PATH, None for the system's own."""

    def __init__(self, name: str, path: Path, folder: Path | None) -> None:
        self.name = name
        self.path = path.resolve()
        self.folder = folder


def compiler() -> list[str]:
    """Return the command line of the C compiler; ends the program without one."""
    command = shlex.split(os.environ.get("CC", "")) or ["gcc"]
    if shutil.which(command[0]) is None:
        raise SystemExit(f"bench: no C compiler {command[0]}")
    return command


def find_original() -> Library | None:
    """Return the distribution's library, None where there is none."""
    command = [*compiler(), "-print-file-name=libsane.so.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    path = Path(done.stdout.strip())
    if not path.is_absolute() or not path.resolve().is_relative_to("/usr/lib"):
        return None
    return Library("original", path, None)


class Bench:
    """Both libraries, and a folder with the configuration and the dropped-in driver.

    folder: an empty one that only this user may write: driver files in others are refused.
    """

    def __init__(self, folder: Path) -> None:
        self.ours = Library("ours", STAGE / "lib" / "libsane.so.1", STAGE / "lib")
        if not self.ours.path.exists():
            raise SystemExit(f"bench: nothing staged in {STAGE}: make build")
        self.original = find_original()
        self.scanimage = shutil.which("scanimage")
        self.folder = folder
        (folder / "dll.conf").write_text("test\n")
        shutil.copy(ROOT / "etc" / "test.conf", folder)
        drivers = folder / "drivers"
        drivers.mkdir(mode=0o755)
        for source in (ROOT / "bench" / "drivers").glob("*.py"):
            shutil.copyfile(source, drivers / source.name)
            (drivers / source.name).chmod(0o644)
        compile_program("launch")
        compile_program("client", "-pthread", f"-L{STAGE / 'lib'}", "-l:libsane.so.1")

    @property
    def libraries(self) -> list[Library]:
        """Ours first, then the original if there is one."""
        return [self.ours, self.original] if self.original else [self.ours]

    def environment(self, library: Library) -> dict[str, str]:
        """Return the environment in which a program finds *library* and our configuration."""
        removed = ("SANE_", "PYSANE_", "LD_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(removed)}
        if library.folder is not None:
            kept["LD_LIBRARY_PATH"] = str(library.folder)
            kept["PYSANE_BACKEND_PATH"] = str(self.folder / "drivers")
        return {**kept, "SANE_CONFIG_DIR": str(self.folder), "LC_ALL": "C"}

    def client(self, library: Library, *arguments: str, **variables: str) -> Sample:
        """Run client.c with *library* and return what it prints; variables: see _run."""
        sample, texts = self._run(library, [str(PROGRAMS / "client"), *arguments], **variables)
        if texts.get("library") != str(library.path):
            raise SystemExit(f"bench: measured {texts.get('library')} instead of {library.path}")
        return sample

    def launch(self, library: Library, command: Sequence[str], **variables: str) -> Sample:
        """Run *command* as a process of its own: wall, cpu (s), maxrss_kb, status 0."""
        sample, _ = self._run(library, [str(PROGRAMS / "launch"), *command], **variables)
        if sample["status"]:
            raise BenchError(f"{Path(command[0]).name} ends with status {sample['status']:.0f}")
        return sample

    def instructions(self, library: Library, command: Sequence[str]) -> float:
        """Run *command*, which begins with valgrind, and return the instructions it counted."""
        done = subprocess.run(
            command,
            env=self.environment(library),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode or found is None:
            raise BenchError(f"{Path(command[0]).name} ends with status {done.returncode}")
        return float(found[1])

    def program(self, *command: str, **variables: str) -> Sample:
        """Run a program that needs no SANE; return what it prints."""
        return self._run(self.ours, list(command), **variables)[0]

    def _run(
        self, library: Library, command: list[str], **variables: str
    ) -> tuple[Sample, dict[str, str]]:
        """Run *command*; *variables* replace those of the environment.

        What LD_LIBRARY_PATH among them names comes before the folder of *library*.
        """
        environment = self.environment(library)
        folders = [variables.pop("LD_LIBRARY_PATH", ""), environment.get("LD_LIBRARY_PATH", "")]
        environment |= variables
        if any(folders):
            environment["LD_LIBRARY_PATH"] = ":".join(filter(None, folders))
        try:
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchError(f"still running after {TIMEOUT_SECONDS} s") from None
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [""])[0]
            raise BenchError(f"ends with status {done.returncode}: {reason}")
        sample, texts = {}, {}
        for line in done.stdout.splitlines():
            name, _, value = line.partition(" ")
            try:
                sample[name] = float(value)
            except ValueError:
                texts[name] = value
        return sample, texts


def compile_program(name: str, *flags: str, target: str = "") -> None:
    """Compile bench/<name>.c to build/bench/<name or target>; ends the program with the errors."""
    source, out = ROOT / "bench" / f"{name}.c", PROGRAMS / (target or name)
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [*compiler(), "-O2", f"-I{ROOT / 'include'}", "-o", str(out), str(source), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {shlex.join(command)}\n{done.stderr}")
