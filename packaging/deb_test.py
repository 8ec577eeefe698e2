"""make test-deb: the Debian packages in a clean root, from installation and upgrade to purge.

The root is made by debootstrap in build/deb/clean, with the distribution's scanimage and no
compiler. The real dynamic linker chooses the library: no LD_LIBRARY_PATH but to ask for the
distribution's own as the referee. Needs root (chroot) and Debian's package archive.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
import zlib
from pathlib import Path

import clean_root

RELEASE = "/etc/os-release"
SCAN = "scanimage -d {} --mode Color --depth 8 --test-picture 'Color pattern' -x 100 -y 100"
OURS = "/usr/lib/pysane/lib/libsane.so.1"
LOADER = "/etc/ld.so.conf.d/00-pysane.conf"
ALIASED = ("bin", "lib", "lib64", "sbin")  # links to folders in /usr: no package brings files there
REMADE = ("etc/ld.so.cache", "usr/lib/udev/hwdb.bin")  # by ldconfig and by the trigger of udev
SCANNER = "usb:v04B8p0101"
NAMES = "pysane libsane-pysane python3-pysane pysane-utils pysane-share"
# $1: the root, $2: the command. Debian 13's udev writes its database by way of /proc.
ENTER = 'mount -t proc proc "$1/proc" && exec chroot "$1" sh -c "$2"'
API = """
import _sane, sane
assert sane.__pysane__ and _sane.__pysane__, (sane, _sane)
with sane.Scanner("test:0") as scanner:
    print(scanner.scan().width)
"""


class Root:
    """A small Debian in *path*, entered by chroot in a mount namespace of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failed = 0
        self.passed = 0

    def make(self, suite: str) -> None:
        """Make a fresh root of the release *suite* with scanimage; reuse an earlier download."""
        system = os_release()
        packages = self.path.with_name("packages")
        suite = suite or system["VERSION_CODENAME"]
        clean_root.make(self.path, suite, system["ID"], packages)
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
            ["unshare", "--mount", "sh", "-c", ENTER, "sh", str(self.path), command],
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

    def files(self) -> dict[str, str]:
        """Return every file and folder with what it is, but for apt's and dpkg's own work."""
        skipped = ("proc", "sys", "dev", "var/cache", "var/log", "var/lib/apt", "var/lib/dpkg")
        found = {}
        for folder, folders, names in os.walk(self.path):
            below = os.path.relpath(folder, self.path)
            folders[:] = [f for f in folders if os.path.normpath(f"{below}/{f}") not in skipped]
            for name in (*folders, *names):
                path = os.path.normpath(f"{below}/{name}")
                found[path] = self.state(path)
        return found

    def state(self, path: str) -> str:
        """Return owner, mode, and target or size of a file; below /etc its content, too."""
        full = self.path / path
        about = full.lstat()
        words = [f"{about.st_uid}:{about.st_gid} {about.st_mode:o}"]
        if stat.S_ISLNK(about.st_mode):
            words.append(os.readlink(full))
        elif stat.S_ISREG(about.st_mode) and path not in REMADE:
            words.append(f"{about.st_size} bytes")
            if path.startswith("etc/"):
                words.append(f"{zlib.crc32(full.read_bytes()):08x}")
        return " ".join(words)


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
    root.expect("udev knows our scanners", known_to_udev(root), "not in hwdb.bin")
    modules = "find /usr/lib/pysane -name '*.so*' -exec ldd {} + | grep 'not found'"
    missing = root.run(modules, check=False).stdout
    root.expect("no compiled module lacks a library", not missing, missing)
    done = root.run("pysane-scan -d test:0 -o /tmp/page.png && rm /tmp/page.png", check=False)
    root.expect("pysane-scan", done.returncode == 0, done.stderr)
    return page


def known_to_udev(root: Root) -> bool:
    """Tell whether udev's compiled database has our scanners, which gives people access to them."""
    done = root.run(f"systemd-hwdb query {SCANNER}")
    return "pysane_backend=epson2" in done.stdout


def beside(root: Root, page: bytes) -> None:
    """Check the other way: the distribution's libsane offers our backends."""
    root.run(f"sed -i 's/^\\//#&/' {LOADER} && ldconfig")
    root.run("echo 'backend test' >> /etc/sane.d/pysane.conf")
    found = library_of(root)
    root.expect("without its line: the distribution's library", found != OURS, found)
    listing = root.run("scanimage -L").stdout
    root.expect("the distribution's dll lists our device", "`pysane:test:0'" in listing, listing)
    same = picture(root, "pysane:test:0") == page
    root.expect("and scans the same page from it", same, "differs")
    root.run(f"sed -i 's/^#\\//\\//' {LOADER} && ldconfig")


def diverted(root: Root, page: bytes) -> None:
    """Check a diversion of the distribution's file, for who wants no loader path."""
    root.run(f"sed -i 's/^\\//#&/' {LOADER} && ldconfig")
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
    root.run(f"sed -i 's/^#\\//\\//' {LOADER} && ldconfig")


def python(root: Root) -> None:
    """Check the Python module, also beside python-sane, and that all modules are compiled."""
    (root.path / "tmp/api.py").write_text(API, encoding="utf-8")
    for what, command in (
        ("import sane", "true"),
        ("import sane beside python3-sane", f"{clean_root.INSTALL} python3-sane"),
    ):
        root.run(command)
        done = root.run("cd / && python3 /tmp/api.py", check=False)
        root.expect(what, done.stdout == "157\n", done.stdout + done.stderr)
    root.run("apt-get -qq -y purge python3-sane && rm /tmp/api.py")
    modules = "/usr/lib/pysane/lib/pysane/sane"
    sources = root.run(f"find {modules}/ -name '*.py' | wc -l").stdout
    compiled = root.run(f"find {modules}/ -name '*.pyc' | wc -l").stdout
    root.expect("all modules are compiled", sources == compiled, f"{compiled} of {sources}")


def programs(root: Root) -> None:
    """Check that each program starts, and that it has its page."""
    names = root.run(
        "dpkg -L pysane-utils pysane-share | sed -n 's,^/usr/s\\?bin/,,p'", False
    ).stdout
    for name in names.split():
        done = root.run(f"{name} --help", check=False)
        good = done.returncode == 0 and "sage: " in done.stdout + done.stderr
        root.expect(f"{name} --help", good, done.stderr)
        page = root.run(f"ls /usr/share/man/man[18]/{name}.[18]*", check=False)
        root.expect(f"{name} has a manual page", page.returncode == 0, page.stderr)
    done = root.run("getent passwd saned && id -nG saned", check=False)
    root.expect("the service has its user", done.returncode == 0, done.stderr)


def contents(root: Root, packages: list[Path]) -> None:
    """Check the archives: nothing in /lib (DEP 17), and what lintian says."""
    for package in packages:
        listed = output("dpkg-deb", "--fsys-tarfile", str(package), binary=True)
        names = output("tar", "-t", data=listed).split()
        aliased = [name for name in names if name.split("/")[1] in ALIASED]
        root.expect(f"{package.name}: all in /usr and /etc", not aliased, ", ".join(aliased))
    if shutil.which("lintian") is None:
        print("skip lintian: it is not installed")
        return
    command = ["lintian", "--fail-on", "error,warning", *map(str, packages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    root.expect("lintian", done.returncode == 0, done.stdout + done.stderr)


def former(packages: list[Path], folder: Path) -> Path:
    """Return the one package that these were before, made of their files, in *folder*."""
    whole = folder / "former"
    shutil.rmtree(whole, ignore_errors=True)
    conffiles = ""
    for package in packages:
        part = folder / "part"
        shutil.rmtree(part, ignore_errors=True)
        subprocess.run(["dpkg-deb", "-R", package, part], check=True)
        listed = part / "DEBIAN/conffiles"
        conffiles += listed.read_text(encoding="utf-8") if listed.exists() else ""
        shutil.rmtree(part / "DEBIAN")
        shutil.copytree(part, whole, symlinks=True, dirs_exist_ok=True)
    for old, new in (("usr/lib/udev", "lib/udev"), ("usr/lib/systemd", "lib/systemd")):
        (whole / "lib").mkdir(exist_ok=True)
        (whole / old).rename(whole / new)
    about = "Package: pysane\nVersion: 0.1.0\nMaintainer: x <x@localhost>\nDescription: x\n"
    architecture = output("dpkg", "--print-architecture").strip()
    (whole / "DEBIAN").mkdir()
    control = f"{about}Architecture: {architecture}\nDepends: python3, libsane-common\n"
    (whole / "DEBIAN/control").write_text(control, encoding="utf-8")
    (whole / "DEBIAN/conffiles").write_text(conffiles, encoding="utf-8")
    target = folder / "former.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(whole), str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


def upgraded(root: Root, packages: list[Path], old: Path, before: dict[str, str]) -> None:
    """Check the way from the single package: what the administrator changed stays."""
    shutil.copy(old, root.path / "srv/former.deb")
    root.run(f"{clean_root.INSTALL} /srv/former.deb && rm /srv/former.deb")
    root.run(
        f"sed -i 's/^\\//#&/' {LOADER} && ldconfig && echo '# mine' >> /etc/sane.d/pysane.conf"
    )
    put(root, packages)
    refused = root.run("dpkg -i /srv/packages/libsane-pysane_*.deb", check=False)
    told = "breaks pysane" in refused.stderr or "dependency problems" in refused.stderr
    root.expect("one alone is refused beside the older package", told, refused.stderr)
    done = root.run(f"{clean_root.INSTALL} /srv/packages/*.deb", check=False)
    root.expect("upgrade from the single package", done.returncode == 0, done.stderr)
    state = root.run("dpkg -l 'pysane*' '*-pysane' | grep '^[a-z]' | grep -v '^ii'", False).stdout
    root.expect("all packages are installed", not state, state)
    whole(root, "upgraded")
    kept = root.run(f"grep -c '^#/' {LOADER}; grep -c '^# mine' /etc/sane.d/pysane.conf", False)
    root.expect("changed configuration is kept", kept.stdout == "1\n1\n", kept.stdout)
    others = root.run("find /etc -name '*.dpkg-*'").stdout
    root.expect("no question about configuration", not others, others)
    root.run(f"sed -i 's/^#\\//\\//' {LOADER} && ldconfig")
    root.expect("the linker gives our library", library_of(root) == OURS, library_of(root))
    purged(root, before)


def following(package: Path, folder: Path) -> Path:
    """Return *package* as a next version, made in *folder*; each file below /etc has changed."""
    part = folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-R", package, part], check=True)
    control = part / "DEBIAN/control"
    text = control.read_text(encoding="utf-8")
    number = output("dpkg-deb", "-f", str(package), "Version").strip()
    control.write_text(text.replace(number, f"{number}+next"), encoding="utf-8")
    listed = part / "DEBIAN/conffiles"
    for name in listed.read_text(encoding="utf-8").split() if listed.exists() else ():
        with (part / name.lstrip("/")).open("a", encoding="utf-8") as file:
            file.write("# next\n")
    target = folder / package.name.replace(number, f"{number}+next")
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(part), str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


def put(root: Root, packages: list[Path]) -> None:
    """Copy the packages into the root."""
    folder = root.path / "srv/packages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for package in packages:
        shutil.copy(package, folder)


def purged(root: Root, before: dict[str, str]) -> None:
    """Check that nothing is left after purge."""
    root.run("rm -rf /srv/packages")
    kept = set(root.run(f"dpkg-query -Wf '${{Conffiles}}\n' {NAMES}").stdout.split())
    done = root.run(f"apt-get -qq -y remove {NAMES}", check=False)
    root.run("apt-get -qq -y autoremove --purge")  # what python3-sane needed; NumPy we suggest
    root.expect("removal warns of nothing", not warnings(root, done.stderr), done.stderr)
    left = sorted(f"/{path}" for path in root.files().keys() - before.keys())
    other = [path for path in left if path not in kept and not is_above(path, kept)]
    other = [path for path in other if "/deb-systemd-helper-" not in path]
    root.expect("only configuration is left after removal", not other, ", ".join(other[:9]))
    done = root.run(f"apt-get -qq -y purge {NAMES}", check=False)
    root.expect("purge warns of nothing", not warnings(root, done.stderr), done.stderr)
    after = root.files()
    left = sorted(after.keys() - before.keys())
    gone = sorted(before.keys() - after.keys())
    both = sorted(before.keys() & after.keys())
    changed = [f"{p}: {before[p]}, now {after[p]}" for p in both if before[p] != after[p]]
    root.expect("nothing is left after purge", not left, ", ".join(left[:9]))
    root.expect("nothing of others is gone", not gone, ", ".join(gone[:9]))
    root.expect("nothing of others is changed", not changed, "; ".join(changed[:9]))
    root.expect("udev has forgotten our scanners", not known_to_udev(root), "in hwdb.bin")
    found = library_of(root)
    root.expect("programs use the distribution's library again", found != OURS, found)
    done = root.run("scanimage -d test:0 > /dev/null", check=False)
    root.expect("and scan with it", done.returncode == 0, done.stderr)


def is_above(path: str, others: set[str]) -> bool:
    """Tell whether *path* is a folder that one of *others* lies in."""
    return any(other.startswith(f"{path}/") for other in others)


def whole(root: Root, when: str) -> None:
    """Check that every file of the packages is there as it was packed, and each link's target."""
    done = root.run(f"dpkg --verify {NAMES}", check=False)
    changed = [line for line in done.stdout.splitlines() if " c /etc/" not in line]
    root.expect(f"{when}: each file is as it was packed", not changed, "; ".join(changed[:9]))
    files = f'dpkg -L {NAMES} | sort -u | while read -r f; do [ -e "$f" ] || echo "$f"; done'
    missing = root.run(files).stdout.split()
    root.expect(f"{when}: no link leads nowhere", not missing, ", ".join(missing[:9]))


def warnings(root: Root, text: str) -> list[str]:
    """Return the lines in which dpkg warns, but of folders that others have by their old names.

    Debian 12's packages still say /lib/udev for the folder /usr/lib/udev (DEP 17).
    """
    found = [line for line in text.splitlines() if "warning" in line]
    shared = re.compile(r"directory '/usr(/\S+)' not empty")
    named = {line: shared.search(line) for line in found}
    return [
        line
        for line, folder in named.items()
        if folder is None or root.run(f"dpkg -S {folder[1]}", check=False).returncode
    ]


def dependencies(packages: list[Path]) -> str:
    """Return what the packages need of the distribution, as words for apt-get."""
    own = {package.name.partition("_")[0] for package in packages}
    found = set()
    for package in packages:
        for need in output("dpkg-deb", "-f", str(package), "Depends").split(","):
            found.add(re.split(r"[ :(|]", need.strip())[0])
    return " ".join(sorted(found - own))


def output(*command: str, data: str = "", binary: bool = False) -> str:
    """Return what a program prints; bytes come and go as Latin-1."""
    done = subprocess.run(command, input=data.encode("latin-1"), check=True, stdout=subprocess.PIPE)
    return done.stdout.decode("latin-1" if binary else "utf-8")


def asked(goal: str, folder: str) -> tuple[list[Path], str, Path]:
    """Return packages, release and root, in build/deb, that make's *goal* is run with."""
    parser = argparse.ArgumentParser()
    parser.add_argument("packages", type=Path, nargs="+")
    parser.add_argument("--suite", default="", help="the release [this machine's]")
    parser.add_argument("--root", type=Path, default=Path("build/deb") / folder)
    options = parser.parse_args()
    clean_root.require(goal)
    packages = [package.absolute() for package in options.packages]
    return packages, options.suite, options.root.absolute()


def main() -> int:
    """Run the program; return 1 if a check failed."""
    packages, suite, folder = asked("test-deb", "clean")
    root = Root(folder)
    contents(root, packages)
    root.make(suite)
    root.run(f"{clean_root.INSTALL} {dependencies(packages)}")
    root.run("scanimage -L")  # a C backend leaves a file of its own in /var/lib/snmp
    before = root.files()
    put(root, packages)
    root.run(f"{clean_root.INSTALL} /srv/packages/*.deb")
    whole(root, "installed")
    page = instead(root)
    programs(root)
    beside(root, page)
    diverted(root, page)
    python(root)
    purged(root, before)
    upgraded(root, packages, former(packages, root.path.parent), before)
    if not root.failed:
        shutil.rmtree(root.path)
    print(f"{root.passed} passed, {root.failed} failed")
    return 1 if root.failed else 0


if __name__ == "__main__":
    sys.exit(main())
