"""make deb: Debian packages of the staged prefix, which the distribution's python3 runs.

The prefix goes to /usr/lib/pysane; links and configuration make it known to the loader, to the
distribution's libsane, to Python, man, udev and systemd. Nothing that another package owns is
replaced. All is put together in one folder first, then each file goes to the package that the
table of debs/parts.py names.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from debs.archive import Archive, version
from debs.parts import PACKAGES, package_of

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "packaging" / "debian"
PREFIX = "usr/lib/pysane"
DOCS = "usr/share/doc/pysane"
MODULES = "usr/lib/python3/dist-packages"
FISH = "share/fish/vendor_completions.d/pysane.fish"
LINKS = {  # link in the package: what it leads to, below the prefix
    "usr/bin/pysane": "bin/pysane",
    "usr/bin/pysane-scan": "bin/pysane-scan",
    "usr/bin/pysane-scanimage": "bin/pysane-scanimage",
    "usr/bin/pysane-find-scanner": "bin/sane-find-scanner",
    "usr/sbin/pysane-saned": "sbin/saned",
    "usr/share/bash-completion/completions/pysane": "share/bash-completion/completions/pysane",
    "usr/share/zsh/vendor-completions/_pysane": "share/zsh/site-functions/_pysane",
    f"usr/{FISH}": FISH,
    f"{MODULES}/sane": "lib/pysane/sane",
    f"{MODULES}/_sane": "lib/pysane/sane/compat/_sane",
}
OWN_CONFIG = (
    "pysane.conf",
    "pysane-share.toml",
)  # the others belong to libsane-common and sane-utils
MAN_SUFFIX = "pysane"  # "man 5pysane sane-net": the plain name is the distribution's page
PAGES = {  # of programs that have another name here: page, what it is a link to
    "man1/pysane-find-scanner.1": f"sane-find-scanner.1{MAN_SUFFIX}",
    "man8/pysane-saned.8": f"saned.8{MAN_SUFFIX}",
}
SYSTEM = (  # folder, where it lies, what is for it
    ("udev", "usr/lib", ("*.rules", "*.hwdb")),
    ("systemd", "usr/lib", ("*.s*",)),
    ("metainfo", "usr/share", ("*.metainfo.xml",)),
)


class Tree:
    """What all packages bring, put together in the folder *root*."""

    def __init__(self, root: Path, stage: Path) -> None:
        self.root = root
        self.stage = stage
        self.prefix = root / PREFIX
        shutil.rmtree(root, ignore_errors=True)

    def fill(self) -> None:
        """Put everything where it belongs."""
        self.install()
        shutil.rmtree(self.prefix / "lib/pysane/deps", ignore_errors=True)  # packages have it
        for folder in sorted(self.prefix.rglob("__pycache__")):  # compiled at installation
            shutil.rmtree(folder)
        self.links()
        self.configuration()
        self.manual()
        self.system()
        self.documents()
        self.strip()

    def install(self) -> None:
        """Install the staged prefix, with example configuration among the documents."""
        command = [sys.executable, str(ROOT / "packaging/install.py"), "install"]
        command += ["--stage", str(self.stage), "--prefix", f"/{PREFIX}", "--destdir"]
        command += [str(self.root), "--sysconfdir", f"/{DOCS}/examples"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (self.prefix / "lib/pysane/installed").unlink()
        # The examples of the prefix, among the documents as well.
        shutil.copytree(self.prefix / "share/doc/pysane", self.root / DOCS, dirs_exist_ok=True)
        shutil.rmtree(self.prefix / "share/doc")
        for folder in ("bin", "sbin"):  # any Python of these minor versions will do
            for path in (self.prefix / folder).iterdir():
                text = path.read_text(encoding="utf-8")
                first, _, rest = text.partition("\n")
                if "python" in first:
                    path.write_text(f"#!/usr/bin/python3 -I\n{rest}", encoding="utf-8")

    def link(self, name: str, target: str) -> None:
        """Make a link *name* in the package to *target* below the prefix, relative."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(self.prefix / target, path.parent))

    def links(self) -> None:
        """Make programs, modules and the backends for the distribution's libsane known."""
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
        pages = self.root / "usr/share/man"
        for path in sorted((self.prefix / "share/man").rglob("*.[1-8]")):
            own = path.name.startswith("pysane")
            name = path.name if own else f"{path.name}{MAN_SUFFIX}"
            target = pages / path.parent.name / f"{name}.gz"
            target.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8")
            if not own:  # its heading names the section
                text = re.sub(r"^(\.TH \S+ \d)", rf"\g<1>{MAN_SUFFIX}", text, flags=re.MULTILINE)
            target.write_bytes(gzip.compress(text.encode(), mtime=0))
        for name, target_name in PAGES.items():
            (pages / f"{name}.gz").symlink_to(f"{target_name}.gz")
        shutil.rmtree(self.prefix / "share/man")

    def system(self) -> None:
        """Move what the system reads to where it looks; nothing lies in /lib (DEP 17)."""
        for folder, place, kinds in SYSTEM:
            for path in sorted(p for kind in kinds for p in self.prefix.rglob(kind)):
                if folder not in path.parts:
                    continue
                below = path.relative_to(next(p for p in path.parents if p.name == folder))
                target = self.root / place / folder / below
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)

    def documents(self) -> None:
        """Add README, changes and guides."""
        self.copy(ROOT / "README.md", f"{DOCS}/README.md")
        for path in sorted((ROOT / "docs").glob("*.md")):
            self.copy(path, f"{DOCS}/{path.name}")

    def strip(self) -> None:
        """Take what only debuggers read out of libraries and programs."""
        for path in sorted(self.prefix.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
                options = ["--remove-section=.comment", "--remove-section=.note"]
                subprocess.run(["strip", "--strip-unneeded", *options, path], check=True)
                path.chmod(0o755 if path.name == "probe" else 0o644)

    def copy(self, source: Path, target: str) -> None:
        """Copy one text file into the package."""
        path = self.root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)


def split(tree: Path, folder: Path) -> list[str]:
    """Move the files of *tree* into a folder for each package; return the packages with files."""
    for path in sorted(tree.rglob("*")):
        if path.is_symlink() or path.is_file():
            name = str(path.relative_to(tree))
            target = folder / package_of(name) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    shutil.rmtree(tree)
    (folder / "python3-pysane" / PREFIX / "lib/pysane/backends").mkdir(exist_ok=True)
    (folder / "pysane").mkdir()
    return [name for name in PACKAGES if (folder / name).exists()]


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if shutil.which("dpkg-deb") is None:
        raise SystemExit("make deb needs dpkg-deb: this is no Debian or Ubuntu")
    os.umask(0o022)
    folder = options.stage.with_name("packages.d")
    shutil.rmtree(folder, ignore_errors=True)
    tree = Tree(options.stage.with_name("root"), options.stage)
    tree.fill()
    for old in options.out.glob("*.deb"):
        old.unlink()
    names = split(tree.root, folder)
    for name in names:
        target = Archive(name, folder / name).build(options.out)
        print(f"{target}: {target.stat().st_size // 1024} KiB")
    print(f"install all of {version()}: sudo apt install {options.out.absolute()}/*.deb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
