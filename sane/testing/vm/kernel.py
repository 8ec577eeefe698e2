"""The distribution's kernel and its modules, fetched as a package and never installed."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import struct
import subprocess
import tarfile
import tempfile

META_PACKAGE = "linux-image-amd64"  # the cloud flavour has neither USB nor 9p
XZ_MAGIC = b"\xfd7zXZ\0"
FOLDERS = (  # of modules that are kept
    *("drivers/usb", "drivers/virtio", "drivers/char", "drivers/net", "fs/9p", "fs/netfs"),
    *("fs/fscache", "fs/overlayfs", "net/9p", "net/core", "drivers/platform/x86"),
)
WANTED = re.compile(rf"/kernel/(?:{'|'.join(FOLDERS)})/.*\.ko(?:\.xz)?$")


class KernelError(Exception):
    """The kernel cannot be had; the text says why."""


class Kernel:
    """A kernel unpacked in *folder*: an image that QEMU boots, and modules."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.image = os.path.join(folder, "vmlinux")

    def module_path(self, name: str) -> str:
        """Return the file of a module; raise KernelError when there is none."""
        path = os.path.join(self.folder, "modules", f"{name.replace('-', '_')}.ko")
        if not os.path.exists(path):
            raise KernelError(f"the kernel in {self.folder} has no module {name}")
        return path

    def load_order(self, names: list[str]) -> list[str]:
        """Return the files of modules and of what they depend on, in the order to load them."""
        order: list[str] = []

        def add(name: str) -> None:
            path = self.module_path(name)
            if path not in order:
                for needed in dependencies(path):
                    add(needed)
                order.append(path)

        for name in names:
            add(name)
        return order


def dependencies(path: str) -> list[str]:
    """Return the names in a module's ``depends=``."""
    with open(path, "rb") as file:
        text = file.read()
    match = re.search(rb"\0depends=([^\0]*)\0", text)
    return [name for name in match[1].decode().split(",") if name] if match else []


def get_kernel(cache: str) -> Kernel:
    """Return the kernel in the folder *cache*, fetched if it is not there."""
    folder = os.path.join(cache, "kernel")
    if not os.path.exists(os.path.join(folder, "vmlinux")):
        os.makedirs(cache, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as place:
            unpacked = os.path.join(place, "kernel")
            try:
                package = _download(place)
            except KernelError:
                if os.geteuid() != 0:
                    raise
                _run(["apt-get", "update", "-qq"], place)  # there are no lists, or old ones
                package = _download(place)
            _unpack(package, unpacked)
            shutil.rmtree(folder, ignore_errors=True)
            os.rename(unpacked, folder)
    return Kernel(folder)


def _download(folder: str) -> str:
    """Fetch the package of the distribution's current kernel into *folder*; return its file."""
    listing = _run(["apt-cache", "depends", META_PACKAGE], folder)
    match = re.search(r"Depends: (linux-image-\d\S+)", listing)
    if match is None:
        raise KernelError(f"apt knows no {META_PACKAGE}: apt-get update, on amd64")
    _run(["apt-get", "download", match[1]], folder)
    found = [name for name in os.listdir(folder) if name.endswith(".deb")]
    return os.path.join(folder, found[0])


def _run(command: list[str], folder: str) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise KernelError(f"{command[0]} is missing: this needs a Debian or Ubuntu") from None
    if done.returncode:
        raise KernelError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _unpack(package: str, folder: str) -> None:
    """Take the kernel image and the modules that are wanted out of *package*."""
    os.makedirs(os.path.join(folder, "modules"))
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                image = os.path.basename(member.name).startswith("vmlinuz-")
                if not member.isfile() or not (image or WANTED.search(member.name)):
                    continue
                file = archive.extractfile(member)
                assert file is not None
                data = file.read()
                if image:
                    _write(os.path.join(folder, "vmlinux"), uncompressed_image(data))
                else:
                    data = lzma.decompress(data) if member.name.endswith(".xz") else data
                    name = os.path.basename(member.name).partition(".ko")[0].replace("-", "_")
                    _write(os.path.join(folder, "modules", f"{name}.ko"), data)
    if process.returncode:
        raise KernelError(f"dpkg-deb {package} ended with status {process.returncode}")
    if not os.path.exists(os.path.join(folder, "vmlinux")):
        raise KernelError(f"{package} holds no kernel image")


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def uncompressed_image(image: bytes) -> bytes:
    """Return the vmlinux in a bzImage, which boots in half the time; if it has none, the image.

    The payload begins with the magic of XZ; QEMU boots vmlinux by its PVH note.
    """
    start = image.find(XZ_MAGIC)
    while start >= 0:
        try:
            data = lzma.LZMADecompressor().decompress(image[start:])
        except lzma.LZMAError:
            data = b""
        if data[:4] == b"\x7fELF" and struct.unpack_from("<H", data, 18)[0] == 62:
            return data
        start = image.find(XZ_MAGIC, start + 1)
    return image
