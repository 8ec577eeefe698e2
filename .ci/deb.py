"""make deb: a Debian package of the staged prefix, which the distribution's python3 runs.

The prefix goes to /usr/lib/pysane; links and configuration make it known to the loader, to the
distribution's libsane, to man, udev and systemd. Nothing that another package owns is replaced.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / ".ci" / "deb"
PREFIX = "usr/lib/pysane"
DOCS = "usr/share/doc/pysane"
LINKS = {  # link in the package: what it leads to, below the prefix
    "usr/bin/pysane-scan": "bin/pysane-scan",
    "usr/bin/pysane-find-scanner": "bin/sane-find-scanner",
    "usr/sbin/pysane-saned": "sbin/saned",
}
OWN_CONFIG = ("pysane.conf",)  # the others belong to libsane-common and sane-utils
MAN_SUFFIX = "pysane"  # "man 5pysane sane-net": the plain name is the distribution's page


class Package:
    """One package, put together in the folder *root*."""

    def __init__(self, root: Path, stage: Path) -> None:
        self.root = root
        self.stage = stage
        self.prefix = root / PREFIX
        shutil.rmtree(root, ignore_errors=True)

    def fill(self) -> None:
        """Put everything where it belongs."""
        self.install()
        shutil.rmtree(self.prefix / "lib/pysane/deps", ignore_errors=True)  # packages have it
        self.links()
        self.configuration()
        self.manual()
        self.system()
        self.documents()

    def install(self) -> None:
        """Install the staged prefix, with example configuration among the documents."""
        command = [sys.executable, str(ROOT / ".ci/install.py"), "install"]
        command += ["--stage", str(self.stage), "--prefix", f"/{PREFIX}", "--destdir"]
        command += [str(self.root), "--sysconfdir", f"/{DOCS}/examples"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (self.prefix / "lib/pysane/installed").unlink()

    def link(self, name: str, target: str) -> None:
        """Make a link *name* in the package to *target* below the prefix, relative."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(self.prefix / target, path.parent))

    def links(self) -> None:
        """Make the programs and the backends for the distribution's libsane known."""
        for name, target in LINKS.items():
            if (self.prefix / target).exists():
                self.link(name, target)
        triplet = sysconfig.get_config_var("MULTIARCH")
        library = "libsane-pysane.so.1"
        self.link(f"usr/lib/{triplet}/sane/{library}", f"lib/sane/{library}")

    def configuration(self) -> None:
        """Write the files below /etc; dpkg keeps what the administrator changes."""
        for name in OWN_CONFIG:
            self.copy(self.root / DOCS / "examples/sane.d" / name, f"etc/sane.d/{name}")
        self.copy(TEMPLATES / "dll.d", "etc/sane.d/dll.d/pysane")
        self.copy(TEMPLATES / "00-pysane.conf", "etc/ld.so.conf.d/00-pysane.conf")

    def manual(self) -> None:
        """Put the manual pages beside the distribution's of the same names."""
        for path in sorted((self.prefix / "share/man").rglob("*.[1-8]")):
            own = path.name.startswith("pysane")
            name = path.name if own else f"{path.name}{MAN_SUFFIX}"
            target = self.root / "usr/share/man" / path.parent.name / f"{name}.gz"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        shutil.rmtree(self.prefix / "share/man")

    def system(self) -> None:
        """Move udev's and systemd's files to where these look."""
        for folder, kinds in (("udev", ("*.rules", "*.hwdb")), ("systemd", ("*.s*",))):
            for path in sorted(p for kind in kinds for p in self.prefix.rglob(kind)):
                if folder not in path.parts:
                    continue
                below = path.relative_to(next(p for p in path.parents if p.name == folder))
                text = path.read_text(encoding="utf-8")
                target = self.root / "lib" / folder / below
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
                path.unlink()

    def documents(self) -> None:
        """Add what Debian expects below /usr/share/doc."""
        self.copy(ROOT / "LICENSE", f"{DOCS}/copyright")
        self.copy(ROOT / "README.md", f"{DOCS}/README.md")
        changes = (ROOT / "CHANGELOG.md").read_bytes()
        (self.root / DOCS / "changelog.gz").write_bytes(gzip.compress(changes, mtime=0))
        for path in sorted((ROOT / "docs").glob("*.md")):
            self.copy(path, f"{DOCS}/{path.name}")

    def copy(self, source: Path, target: str) -> None:
        """Copy one text file into the package."""
        path = self.root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)

    def files(self) -> list[Path]:
        """Return all regular files of the package, without dpkg's own."""
        found = (p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink())
        return sorted(p for p in found if "DEBIAN" not in p.relative_to(self.root).parts)

    def libraries(self) -> list[str]:
        """Return the packages of the shared libraries that our compiled modules need."""
        found = set()
        for path in self.files():
            if path.suffix == ".so" or ".so." in path.name:
                for line in output("ldd", str(path)).splitlines():
                    name, _, place = line.strip().partition(" => ")
                    if place and not name.startswith(("libc.so", "libm.so", "libpython")):
                        found.add(owner(place.split(" (")[0]))
        return sorted(found)

    def control(self, version: str) -> None:
        """Write dpkg's own files."""
        for folder in sorted((p for p in self.root.rglob("*") if p.is_dir()), reverse=True):
            if not any(folder.iterdir()) and folder.name != "backends":
                folder.rmdir()
        folder = self.root / "DEBIAN"
        folder.mkdir()
        files = self.files()
        major, minor = sys.version_info[:2]
        values = {
            "VERSION": version,
            "ARCH": output("dpkg", "--print-architecture"),
            "SIZE": str(sum(p.stat().st_size for p in files) // 1024 + 1),
            "PYTHON": f"{major}.{minor}",
            "NEXT": f"{major}.{minor + 1}",
            "GLIBC": platform.libc_ver()[1],
            "LIBRARIES": "".join(f", {name}" for name in self.libraries()),
        }
        text = (TEMPLATES / "control").read_text(encoding="utf-8")
        text = re.sub(r"@(\w+)@", lambda match: values[match[1]], text)
        (folder / "control").write_text(text, encoding="utf-8")
        names = [p.relative_to(self.root) for p in files]
        pairs = zip(files, names, strict=True)
        sums = [f"{hashlib.md5(p.read_bytes()).hexdigest()}  {n}\n" for p, n in pairs]
        (folder / "md5sums").write_text("".join(sums), encoding="utf-8")
        kept = "".join(f"/{name}\n" for name in names if name.parts[0] == "etc")
        (folder / "conffiles").write_text(kept, encoding="utf-8")
        (folder / "triggers").write_text("activate-noawait ldconfig\n", encoding="utf-8")


def output(*command: str) -> str:
    """Return what a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def owner(library: str) -> str:
    """Return the package that a library belongs to; raises SystemExit if none has it."""
    real = os.path.realpath(library)
    for path in (real, real.removeprefix("/usr")):  # dpkg knows only one of the two
        done = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.partition(":")[0]
    raise SystemExit(f"no package owns {real}, which a compiled module needs")


def project_version() -> str:
    """Return the version, which stands in the package."""
    text = (ROOT / "sane" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("sane/__init__.py has no line __version__ =")
    return found[1]


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if shutil.which("dpkg-deb") is None:
        raise SystemExit("make deb needs dpkg-deb: this is no Debian or Ubuntu")
    os.umask(0o022)
    package = Package(options.stage.with_name("root"), options.stage)
    package.fill()
    version = project_version()
    package.control(version)
    name = f"pysane_{version}_{output('dpkg', '--print-architecture')}.deb"
    target = options.out / name
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(package.root), str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    print(f"{target}: {target.stat().st_size // 1024} KiB; install: sudo apt install ./{target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
