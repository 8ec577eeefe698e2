"""make test-deb: the Debian package in a clean root, from installation to purge.

The root is made by debootstrap in build/deb/clean, with the distribution's scanimage and no
compiler. The real dynamic linker chooses the library: no LD_LIBRARY_PATH but to ask for the
distribution's own as the referee. Needs root (chroot) and Debian's package archive.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import clean_root

RELEASE = "/etc/os-release"
SCAN = "scanimage -d {} --mode Color --depth 8 --test-picture 'Color pattern' -x 100 -y 100"
OURS = "/usr/lib/pysane/lib/libsane.so.1"


class Root:
    """A small Debian in *path*, entered by chroot."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failed = 0
        self.passed = 0

    def make(self) -> None:
        """Make a fresh root with scanimage; reuse an earlier download."""
        system = os_release()
        packages = self.path.with_name("packages")
        clean_root.make(self.path, system["VERSION_CODENAME"], system["ID"], packages)
        self.run("apt-get -qq update")
        self.run(f"{clean_root.INSTALL} sane-utils libsane1 libsane-common file")

    def run(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the root; its output is in the result."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C",
            "HOME": "/",
        }
        done = subprocess.run(
            ["chroot", str(self.path), "sh", "-c", command],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if check and done.returncode:
            raise SystemExit(f"failed in the clean root: {command}\n{done.stdout}{done.stderr}")
        return done

    def expect(self, what: str, good: bool, detail: str = "") -> None:
        """Note and print one result."""
        self.passed += good
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good else f': {detail}'}", flush=True)

    def files(self) -> set[str]:
        """Return every file and folder, but for what apt and dpkg keep of their own work."""
        skipped = ("proc", "sys", "dev", "var/cache", "var/log", "var/lib/apt", "var/lib/dpkg")
        found = set()
        for folder, folders, names in os.walk(self.path):
            below = os.path.relpath(folder, self.path)
            folders[:] = [f for f in folders if os.path.normpath(f"{below}/{f}") not in skipped]
            found.update(os.path.normpath(f"{below}/{name}") for name in (*folders, *names))
        return found


def os_release() -> dict[str, str]:
    """Return what describes this machine's release, which the package was built for."""
    with open(RELEASE, encoding="utf-8") as file:
        pairs = (line.strip().split("=", 1) for line in file if "=" in line)
        return {name: value.strip('"') for name, value in pairs}


def library_of(root: Root, program: str = "scanimage") -> str:
    """Return the libsane.so.1 that the dynamic linker of the root gives to *program*."""
    for line in root.run(f"ldd $(command -v {program})").stdout.splitlines():
        if line.strip().startswith("libsane.so.1 "):
            return line.partition("=> ")[2].split()[0]
    return "none"


def picture(root: Root, device: str, prefix: str = "") -> bytes:
    """Return the image that scanimage delivers."""
    root.run(f"{prefix}{SCAN.format(device)} > /tmp/page.pnm")
    page = root.path / "tmp/page.pnm"
    data = page.read_bytes()
    page.unlink()
    return data


def instead(root: Root) -> bytes:
    """Check the normal installation: programs use our libsane.so.1."""
    root.expect("no compiler, no virtual environment", not root.run("command -v gcc", False).stdout)
    root.expect("the linker gives our library", library_of(root) == OURS, library_of(root))
    listing = root.run("scanimage -L")
    root.expect("scanimage -L with the stock dll.conf", listing.returncode == 0, listing.stderr)
    root.expect("it says nothing on stderr", not listing.stderr, listing.stderr)
    page = picture(root, "test:0")
    original = picture(root, "test:0", "LD_LIBRARY_PATH=$(dirname /lib/*/libsane.so.1) ")
    root.expect("a page from the test device", len(page) > 100_000, f"{len(page)} bytes")
    root.expect("the same page as from the distribution's libsane", page == original, "differs")
    modules = "find /usr/lib/pysane -name '*.so*' -exec ldd {} + | grep 'not found'"
    missing = root.run(modules, check=False).stdout
    root.expect("no compiled module lacks a library", not missing, missing)
    done = root.run("pysane-scan -d test:0 -o /tmp/page.png && rm /tmp/page.png", check=False)
    root.expect("pysane-scan", done.returncode == 0, done.stderr)
    return page


def beside(root: Root, page: bytes) -> None:
    """Check the other way: the distribution's libsane offers our backends."""
    line = "/etc/ld.so.conf.d/00-pysane.conf"
    root.run(f"sed -i 's/^\\//#&/' {line} && ldconfig")
    root.run("echo 'backend test' >> /etc/sane.d/pysane.conf")
    found = library_of(root)
    root.expect("without its line: the distribution's library", found != OURS, found)
    listing = root.run("scanimage -L").stdout
    root.expect("the distribution's dll lists our device", "`pysane:test:0'" in listing, listing)
    same = picture(root, "pysane:test:0") == page
    root.expect("and scans the same page from it", same, "differs")
    root.run(f"sed -i 's/^#\\//\\//' {line} && ldconfig")


def diverted(root: Root, page: bytes) -> None:
    """Check a diversion of the distribution's file, for who wants no loader path."""
    root.run("sed -i 's/^\\//#&/' /etc/ld.so.conf.d/00-pysane.conf && ldconfig")
    name = "$(ls /usr/lib/*/libsane.so.1)"
    root.run(
        f"f={name}; dpkg-divert --quiet --local --rename --divert $f.distrib --add $f; "
        f"ln -s {OURS} $f"
    )
    real = root.run(f"readlink -f {library_of(root)}").stdout.strip()
    root.expect("diverted: our library in the distribution's place", real == OURS, real)
    root.expect("a page through the diversion", picture(root, "test:0") == page, "differs")
    root.run(f"f={name}; rm $f; dpkg-divert --quiet --local --rename --remove $f; ldconfig")
    found = root.run(f"readlink -f {library_of(root)}").stdout.strip()
    root.expect("the diversion is undone", "/libsane.so.1." in found, found)
    root.run("sed -i 's/^#\\//\\//' /etc/ld.so.conf.d/00-pysane.conf && ldconfig")


def purged(root: Root, before: set[str]) -> None:
    """Check that nothing is left after purge."""
    root.run("apt-get -qq -y purge pysane")
    left = sorted(root.files() - before)
    gone = sorted(before - root.files())
    root.expect("nothing is left after purge", not left, ", ".join(left[:9]))
    root.expect("nothing of others is gone", not gone, ", ".join(gone[:9]))
    found = library_of(root)
    root.expect("programs use the distribution's library again", found != OURS, found)
    done = root.run("scanimage -d test:0 > /dev/null", check=False)
    root.expect("and scan with it", done.returncode == 0, done.stderr)


def main() -> int:
    """Run the program; return 1 if a check failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=Path)
    parser.add_argument("--root", type=Path, default=Path("build/deb/clean"))
    options = parser.parse_args()
    clean_root.require("test-deb")
    root = Root(options.root.absolute())
    root.make()
    root.run(
        f"{clean_root.INSTALL} python3 python3-usb python3-h11 $(apt-cache depends python3 | "
        "sed -n 's/.*Depends: python\\(3[.0-9]*\\)$/libpython\\1/p' | head -1)"
    )
    root.run("scanimage -L")  # a C backend leaves a file of its own in /var/lib/snmp
    before = root.files()
    shutil.copy(options.package, root.path / "srv/pysane.deb")
    root.run(f"{clean_root.INSTALL} /srv/pysane.deb && rm /srv/pysane.deb")
    page = instead(root)
    beside(root, page)
    diverted(root, page)
    purged(root, before)
    if not root.failed:
        shutil.rmtree(root.path)
    print(f"{root.passed} passed, {root.failed} failed")
    return 1 if root.failed else 0


if __name__ == "__main__":
    sys.exit(main())
