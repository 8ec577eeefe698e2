"""Says which Debian packages a group of needs lacks, and as root installs them.

Groups: build (to compile), wheels (the same for pip), scan (scanimage), web (pysane share), test
(everything the tests compare with), deb (a clean root, a container, lintian). Only what building
needs ends with an error when it is missing.
"""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import subprocess
import sys
import sysconfig

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
IS_DEBIAN_PYTHON = sys.base_prefix == "/usr"


def has_program(name: str) -> bool:
    """Tell whether *name* is on the path or in the system's sbin."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def has_header() -> bool:
    """Tell whether the headers of this Python are there."""
    return os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))


def has_libpython() -> bool:
    """Tell whether this Python has a shared library."""
    folder = sysconfig.get_config_var("LIBDIR") or "/usr/lib"
    return bool(glob.glob(f"{folder}/**/libpython{VERSION}.so*", recursive=True))


def has_venv() -> bool:
    """Tell whether virtual environments with pip can be made."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def has_module(name: str) -> bool:
    """Tell whether Debian's own Python has the package *name*."""
    return has_file(f"/usr/lib/python3/dist-packages/{name}")


def has_file(pattern: str) -> bool:
    """Tell whether a file matches *pattern*."""
    return bool(glob.glob(pattern))


COMPILING = [
    ("gcc", has_program("gcc") or has_program("cc")),
    ("libc6-dev", has_file("/usr/include/stdio.h")),
    ("libjpeg-dev", has_file("/usr/include/jpeglib.h")),
    (f"python{VERSION}-dev", has_header()),
    (f"python{VERSION}-venv", has_venv()),
]
NEEDS = {
    "build": [*COMPILING, (f"libpython{VERSION}", has_libpython())],
    "wheels": COMPILING,
    "scan": [("sane-utils", has_program("scanimage"))],
    "web": [
        (f"python3-{name}", has_module(module))
        for name, module in (
            *(("uvicorn", "uvicorn"), ("starlette", "starlette"), ("h11", "h11")),
            *(("segno", "segno"), ("cryptography", "cryptography"), ("argon2", "argon2")),
        )
    ],
    "sanitize": [("gcc", has_file("/usr/lib/gcc/*/*/libtsan.so"))],
    "deb": [
        ("debootstrap", has_program("debootstrap")),
        ("lintian", has_program("lintian")),
        ("systemd-container", has_program("systemd-nspawn")),
    ],
    "test": [
        ("sane-utils", has_program("scanimage")),
        ("libsane-dev", has_file("/usr/include/sane/sane.h")),
        ("libsane1", has_file("/usr/lib/*/sane/libsane-test.so.1")),
        ("sane-airscan", has_file("/usr/lib/*/sane/libsane-airscan.so.1")),
        ("openssl", has_program("openssl")),
        ("curl", has_program("curl")),
        ("python3-sane", has_file("/usr/lib/python3/dist-packages/_sane*.so")),
        ("python3-numpy", has_file("/usr/lib/python3/dist-packages/numpy/__init__.py")),
        ("xsane", has_program("xsane")),
        ("xvfb", has_program("Xvfb")),
        ("xdotool", has_program("xdotool")),
        ("x11-apps", has_program("xwd")),
        ("imagemagick", has_file("/usr/bin/convert-im6*") or has_program("magick")),
        ("valgrind", has_program("valgrind")),
        ("tesseract-ocr", has_program("tesseract")),
        ("qpdf", has_program("qpdf")),
        ("g++", has_program("g++")),
        ("locales", has_file("/usr/share/i18n/locales/de_DE")),
        ("pkg-config", has_program("pkg-config")),
        ("iproute2", has_program("ip")),
        ("nftables", has_program("nft")),
        ("libturbojpeg0", has_file("/usr/lib/*/libturbojpeg.so.0")),
        ("umockdev", has_program("umockdev-run")),
        ("gir1.2-umockdev-1.0", has_file("/usr/lib/*/girepository-1.0/UMockdev-1.0.typelib")),
        ("python3-gi", has_file("/usr/lib/python3/dist-packages/gi/_gi*.so")),
        ("libusb-1.0-0", has_file("/usr/lib/*/libusb-1.0.so.0")),
        ("usbutils", has_program("lsusb")),
        ("simple-scan", has_program("simple-scan")),
        ("skanlite", has_program("skanlite")),
        ("gimagereader", has_program("gimagereader-gtk")),
        ("gscan2pdf", has_program("gscan2pdf")),
        ("unpaper", has_program("unpaper")),  # without it gscan2pdf of 2026 does not start
        ("libimage-sane-perl", has_file("/usr/lib/*/perl5/*/Image/Sane.pm")),
        ("scanbd", has_program("scanbd")),
        ("zsh", has_program("zsh")),
        ("fish", has_program("fish")),
        ("dbus-daemon", has_program("dbus-run-session")),
        ("avahi-daemon", has_program("avahi-daemon")),
        ("avahi-utils", has_program("avahi-publish")),
        ("usbip", has_program("usbip")),
    ],
    "browser": [
        ("chromium", has_program("chromium")),
        ("npm", has_program("npm")),
        ("fonts-inter", has_file("/usr/share/fonts/*/inter/*")),
        ("fonts-wqy-microhei", has_file("/usr/share/fonts/truetype/wqy/*")),
    ],
    "test-usb": [
        ("qemu-system-x86", has_program("qemu-system-x86_64")),
        ("busybox-static", has_program("busybox")),
        ("sane-utils", has_program("scanimage")),
        ("libsane1", has_file("/usr/lib/*/sane/libsane-epson2.so.1")),
        ("libusb-1.0-0", has_file("/usr/lib/*/libusb-1.0.so.0")),
        ("usbutils", has_program("lsusb")),
        ("usbip", has_program("usbip")),
        ("libturbojpeg0", has_file("/usr/lib/*/libturbojpeg.so.0")),
        ("udev", has_program("udevadm")),
    ],
}


def main() -> int:
    """Run the program; return 1 when something that building needs is missing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--apt", default="yes")
    parser.add_argument("group", choices=NEEDS)
    options = parser.parse_args()
    missing = [package for package, present in NEEDS[options.group] if not present]
    if not missing:
        return 0
    foreign = [p for p in missing if VERSION in p] if not IS_DEBIAN_PYTHON else []
    if foreign and options.group == "build":
        print(
            f"{sys.executable}: Python {VERSION} lacks its headers, venv or shared libpython; "
            "build it with --enable-shared, or use the system's: make PYTHON=/usr/bin/python3"
        )
        return 1
    wait = "DPkg::Lock::Timeout=300"  # another installation may be under way
    line = ["apt-get", "-o", wait, "install", "-y", "--no-install-recommends", *missing]
    if options.apt == "no" or os.geteuid() != 0 or not has_program("apt-get"):
        print(f"missing: {', '.join(missing)}; to install: sudo {' '.join(line)}")
        return 1 if options.group == "build" else 0
    print(" ".join(line), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
    done = subprocess.run(line, env=environment, check=False, stdout=subprocess.DEVNULL)
    return done.returncode if options.group == "build" else 0


if __name__ == "__main__":
    sys.exit(main())
