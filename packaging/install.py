"""make install and make uninstall: copy the staged prefix, and say what it changes.

What was installed is listed in <prefix>/lib/pysane/installed, by which it is removed again.
Configuration files are never overwritten and never removed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

MANIFEST = "lib/pysane/installed"
ORIGINALS = ("libsane-test.so.1", "libsane-pnm.so.1")
OWN_SCANIMAGE = "pysane-scanimage"
PLACES = (  # the others find themselves
    "lib/pkgconfig/sane-backends.pc",
    *(f"lib/systemd/system/pysane-{name}.service" for name in ("saned", "share")),
    *(f"share/doc/pysane/examples/saned.{kind}" for kind in ("xinetd", "inetd")),
)
UDEV_PREFIXES = ("/usr", "/usr/local")  # below which udevd reads lib/udev/rules.d
RULES = "lib/udev/rules.d/60-pysane.rules"


class Installer:
    """Installs *stage* as *prefix* below *destdir*."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.stage = os.path.abspath(options.stage)
        self.prefix = os.path.abspath(options.prefix)
        self.destdir = os.path.abspath(options.destdir) if options.destdir else ""
        self.sysconfdir = options.sysconfdir
        self.sanedir = options.sanedir
        self.scanimage = options.scanimage == "yes"
        self.installed: list[str] = []

    def run(self) -> int:
        """Install; return the exit status."""
        for folder, _, names in os.walk(self.stage):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), self.stage)
                if path.startswith("etc/"):
                    self.configuration(path)
                else:
                    self.file(path)
        if self.sanedir:
            self.offer()
        if self.scanimage:
            self.replace_scanimage()
        self.put_text(os.path.join(self.prefix, MANIFEST), "\n".join(self.installed) + "\n")
        os.makedirs(f"{self.destdir}{self.prefix}/lib/pysane/backends", exist_ok=True)
        self.explain()
        return 0

    def file(self, path: str) -> None:
        """Install one file or link, with the prefix put in where it names it."""
        source = os.path.join(self.stage, path)
        target = os.path.join(self.prefix, path)
        if path in PLACES:
            with open(source, encoding="utf-8") as file:
                self.put_text(target, file.read().replace(self.stage, self.prefix))
            shutil.copymode(source, self.destdir + target)
        else:
            self.clear(target)
            shutil.copy2(source, self.destdir + target, follow_symlinks=False)
        self.installed.append(target)

    def clear(self, target: str) -> None:
        """Make room for a file: a library in use must not be overwritten in place."""
        os.makedirs(os.path.dirname(self.destdir + target), exist_ok=True)
        if os.path.lexists(self.destdir + target):
            os.unlink(self.destdir + target)

    def put_text(self, target: str, text: str) -> None:
        """Write a text file."""
        self.clear(target)
        with open(self.destdir + target, "w", encoding="utf-8") as file:
            file.write(text)

    def configuration(self, path: str) -> None:
        """Install a config file where there is none."""
        target = os.path.join(self.sysconfdir, os.path.relpath(path, "etc"))
        if not os.path.lexists(self.destdir + target):
            os.makedirs(os.path.dirname(self.destdir + target), exist_ok=True)
            shutil.copyfile(os.path.join(self.stage, path), self.destdir + target)

    def offer(self) -> None:
        """Link our backends into the distribution's backend directory, replacing nothing."""
        source = os.path.join(self.prefix, "lib/sane")
        for name in sorted(os.listdir(os.path.join(self.stage, "lib/sane"))):
            if name in ORIGINALS:
                continue  # the distribution has its own of these names
            target = os.path.join(self.sanedir, name)
            present = self.destdir + target
            if os.path.lexists(present) and not os.path.islink(present):
                print(f"{target} belongs to somebody else: left alone")
                continue
            self.clear(target)
            os.symlink(os.path.join(source, name), self.destdir + target)
            self.installed.append(target)

    def replace_scanimage(self) -> None:
        """Let our scanimage have that name, unless there is another one where it would lie."""
        target = os.path.join(self.prefix, "bin/scanimage")
        present = self.destdir + target
        is_ours = os.path.islink(present) and os.readlink(present) == OWN_SCANIMAGE
        if os.path.lexists(present) and not is_ours:
            print(f"{target} belongs to somebody else: left alone")
            return
        self.clear(target)
        os.symlink(OWN_SCANIMAGE, present)
        self.installed.append(target)

    def explain_udev(self) -> None:
        """Let udev take over the new rules, or say what is left to do."""
        rules = os.path.join(self.prefix, RULES)
        if self.prefix not in UDEV_PREFIXES:
            print(f"to use USB scanners without root: cp {rules} /etc/udev/rules.d/")
        elif os.geteuid() == 0 and os.path.exists("/run/udev/control"):  # where udevd runs
            subprocess.run(["udevadm", "control", "--reload"], check=False)
            subprocess.run(["udevadm", "trigger", "--subsystem-match=usb"], check=False)

    def explain(self) -> None:
        """Say which library programs use now, and how to undo it."""
        library = f"{self.prefix}/lib/libsane.so.1"
        undo = f"make uninstall PREFIX={self.prefix}"
        if self.destdir:
            print(f"staged in {self.destdir}: no program of this system is affected")
            print(f"undo: {undo} DESTDIR={self.destdir}")
            return
        if os.geteuid() == 0:
            subprocess.run(["ldconfig"], check=False)
        self.explain_udev()
        used = first_libsane()
        if used == library:
            print(f"programs linked with libsane (scanimage, xsane, ...) now use {library}")
        else:
            print(f"programs linked with libsane still use {used or 'none'}; for one of them:")
            print(f"    LD_LIBRARY_PATH={self.prefix}/lib scanimage -L")
        print(f"undo: {undo}")


def first_libsane() -> str:
    """Return the libsane.so.1 that the dynamic linker's cache gives, "" without one."""
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin"}
    done = subprocess.run(
        ["ldconfig", "-p"], capture_output=True, text=True, check=False, env=environment
    )
    for line in done.stdout.splitlines():
        if line.strip().startswith("libsane.so.1 "):
            return line.partition("=> ")[2].strip()
    return ""


def uninstall(options: argparse.Namespace) -> int:
    """Remove what the manifest lists, and folders that are empty then."""
    prefix = os.path.abspath(options.prefix)
    destdir = os.path.abspath(options.destdir) if options.destdir else ""
    manifest = f"{destdir}{prefix}/{MANIFEST}"
    try:
        with open(manifest, encoding="utf-8") as file:
            paths = [*file.read().split("\n"), f"{prefix}/{MANIFEST}"]
    except FileNotFoundError:
        print(f"nothing to remove: no {manifest}")
        return 1
    folders = {f"{prefix}/lib/pysane/backends", f"{prefix}/libexec/pysane", f"{prefix}/sbin"}
    for path in filter(None, paths):
        if os.path.lexists(destdir + path):
            os.unlink(destdir + path)
        folder = os.path.dirname(path)
        while folder.startswith(f"{prefix}/"):
            folders.add(folder)
            folder = os.path.dirname(folder)
    for folder in sorted(folders, key=len, reverse=True):
        if os.path.isdir(destdir + folder) and not os.listdir(destdir + folder):
            os.rmdir(destdir + folder)
    if not destdir and os.geteuid() == 0:
        subprocess.run(["ldconfig"], check=False)
    print(f"removed; config files in {options.sysconfdir}/sane.d are yours and stay")
    return 0


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=("install", "uninstall"))
    parser.add_argument("--stage", default="build/prefix")
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--destdir", default="")
    parser.add_argument("--sysconfdir", default="/etc")
    parser.add_argument("--sanedir", default="")
    parser.add_argument("--scanimage", choices=("yes", "no", ""), default="")
    options = parser.parse_args()
    return Installer(options).run() if options.action == "install" else uninstall(options)


if __name__ == "__main__":
    sys.exit(main())
