"""One Debian package of a folder with its files: what dpkg must know, and the archive itself."""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import re
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "packaging" / "debian"
REVISION = 1  # of the packaging: 0.1.0-1 follows 0.1.0, which was one package
BREAKS = "Breaks: pysane (<< 0.1.0-1~)\nReplaces: pysane (<< 0.1.0-1~)"  # it held all files
COMPILED = {
    "python3-pysane": "/usr/lib/pysane/lib/pysane/sane",
    "pysane-share": "/usr/lib/pysane/lib/pysane/sane/web",
}
EXTRA = "web"  # of pyproject.toml: what the server needs
DEBIAN_NAMES = {"argon2-cffi": "argon2", "pillow": "pil", "opencv-python-headless": "opencv"}
DAY = 86400
SCRIPTS = ("postinst", "prerm", "postrm")


class Archive:
    """The package *name* of the files in *root*."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root
        self.control = root / "DEBIAN"

    def build(self, out: Path) -> Path:
        """Write the archive into the folder *out*; return its path."""
        self._documents()
        self.control.mkdir()
        self._scripts()
        self._describe()
        self._lists()
        architecture = self._field("Architecture")
        target = out / f"{self.name}_{version()}_{architecture}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(self.root), str(target)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return target

    def _documents(self) -> None:
        folder = self.root / "usr/share/doc" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "copyright").write_bytes((TEMPLATES / "copyright").read_bytes())
        packed = {
            "changelog.gz": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
            "changelog.Debian.gz": debian_changes(),
        }
        for name, text in packed.items():
            (folder / name).write_bytes(gzip.compress(text.encode(), mtime=0))
        overrides = TEMPLATES / "overrides" / self.name
        if overrides.exists():
            target = self.root / "usr/share/lintian/overrides" / self.name
            target.parent.mkdir(parents=True)
            target.write_bytes(overrides.read_bytes())

    def _scripts(self) -> None:
        """Write the maintainer scripts: the package's own part, and for modules and units."""
        units = " ".join(path.name for path in sorted(self.root.glob("usr/lib/systemd/*/*")))
        parts = [self.name]
        parts += ["compiled"] if self.name in COMPILED else []
        parts += ["unit"] if units else []
        for name in SCRIPTS:
            paths = [TEMPLATES / "scripts" / f"{part}.{name}" for part in parts]
            texts = [path.read_text(encoding="utf-8") for path in paths if path.exists()]
            if not texts:
                continue
            text = "#!/bin/sh\nset -e\n" + "".join(texts)
            text = text.replace("@UNITS@", units)
            text = text.replace("@COMPILED@", COMPILED.get(self.name, ""))
            path = self.control / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)

    def _describe(self) -> None:
        major, minor = sys.version_info[:2]
        needed = [f"libc6 (>= {platform.libc_ver()[1]})", *self._libraries()]
        values = {
            "VERSION": version(),
            "PYTHON": f"{major}.{minor}",
            "NEXT": f"{major}.{minor + 1}",
            "BREAKS": BREAKS,
            "LIBRARIES": "".join(f", {name}" for name in needed),
            "WEB": "".join(f", {name}" for name in web_packages()),
        }
        text = re.sub(r"@(\w+)@", lambda match: values[match[1]], self._paragraph())
        if "Architecture: any" in text:
            architecture = output("dpkg", "--print-architecture")
            text = text.replace("Architecture: any", f"Architecture: {architecture}")
        size = sum(path.stat().st_size for path in self.files()) // 1024 + 1
        general = f"Version: {version()}\nMaintainer: {maintainer()}\nPriority: optional\n"
        name, _, rest = text.partition("\n")
        text = f"{name}\n{general}Installed-Size: {size}\n{rest}"
        (self.control / "control").write_text(text, encoding="utf-8")

    def _paragraph(self) -> str:
        text = (TEMPLATES / "control").read_text(encoding="utf-8")
        for paragraph in text.rstrip("\n").split("\n\n"):
            if paragraph.startswith(f"Package: {self.name}\n"):
                return f"{paragraph}\n"
        raise SystemExit(f"packaging/debian/control has no paragraph of {self.name}")

    def _field(self, name: str) -> str:
        for line in (self.control / "control").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}: "):
                return line.partition(": ")[2]
        return ""

    def _lists(self) -> None:
        """Write what dpkg checks: sums, configuration files, and which triggers are to run."""
        files = self.files()
        names = [path.relative_to(self.root) for path in files]
        pairs = zip(files, names, strict=True)
        sums = [f"{hashlib.md5(p.read_bytes()).hexdigest()}  {n}\n" for p, n in pairs]
        (self.control / "md5sums").write_text("".join(sums), encoding="utf-8")
        kept = "".join(f"/{name}\n" for name in names if name.parts[0] == "etc")
        if kept:
            (self.control / "conffiles").write_text(kept, encoding="utf-8")
        text = "".join(f"activate-noawait {name}\n" for name in sorted(self._triggers(names)))
        if text:
            (self.control / "triggers").write_text(text, encoding="utf-8")

    @staticmethod
    def _triggers(names: list[Path]) -> set[str]:
        """Return what others do for our files. Debian 12's udev watches its folder by /lib."""
        found = set()
        for name in names:
            if name.parts[:2] == ("etc", "ld.so.conf.d"):
                found.add("ldconfig")
            elif name.suffix == ".hwdb":
                found.add("/lib/udev/hwdb.d")
        return found

    def files(self) -> list[Path]:
        """Return all regular files of the package, without dpkg's own."""
        found = (p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink())
        return sorted(p for p in found if "DEBIAN" not in p.relative_to(self.root).parts)

    def _libraries(self) -> list[str]:
        """Return the packages of the shared libraries that our compiled modules need."""
        found = set()
        for path in self.files():
            if path.suffix == ".so" or ".so." in path.name:
                for line in output("ldd", str(path)).splitlines():
                    name, _, place = line.strip().partition(" => ")
                    if place and not name.startswith(("libc.so", "libm.so", "libpython")):
                        found.add(owner(place.split(" (")[0]))
        return sorted(found)


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


def version() -> str:
    """Return the version of the packages: PySANE's, which stands in the package, and ours."""
    text = (ROOT / "sane" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("sane/__init__.py has no line __version__ =")
    return f"{found[1]}-{REVISION}"


def maintainer() -> str:
    """Return who maintains the packages."""
    return (TEMPLATES / "maintainer").read_text(encoding="utf-8").strip()


def debian_changes() -> str:
    """Return a changelog in Debian's form; what has changed stands in PySANE's own."""
    now = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    entries = (
        (version(), "Several packages in place of one; PySANE's changes are in changelog.gz."),
        ("0.1.0", "One package with everything."),
    )
    return "\n".join(
        f"pysane ({number}) unstable; urgency=medium\n\n  * {text}\n\n -- {maintainer()}  "
        f"{formatdate(now - days * DAY)}\n"
        for days, (number, text) in enumerate(entries)
    )


def web_packages() -> list[str]:
    """Return Debian's names of what the extra of the server asks for, none without that extra."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(rf"^{EXTRA} = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    needs = re.findall(r'"([\w-]+)([^"]*)"', found[1]) if found else []
    # What only an older Python than Debian's needs is left out.
    names = sorted(name for name, condition in needs if "python_version" not in condition)
    return [f"python3-{DEBIAN_NAMES.get(name.lower(), name.lower())}" for name in names]
