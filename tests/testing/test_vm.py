"""The parts of the virtual machine that need none: the archive, modules, the kernel's image."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from pathlib import Path

import pytest

from sane.testing.vm import machine
from sane.testing.vm.initramfs import Archive
from sane.testing.vm.kernel import Kernel, KernelError, dependencies, uncompressed_image

ELF = b"\x7fELF" + bytes(14) + b"\x3e\0" + b"kernel" * 100


def modules(folder: Path, **depends: str) -> Kernel:
    """Return a kernel whose modules depend on others as given."""
    (folder / "modules").mkdir()
    for name, others in depends.items():
        text = f"\0license=GPL\0depends={others}\0name={name}\0"
        (folder / "modules" / f"{name}.ko").write_bytes(b"\x7fELF" + text.encode())
    return Kernel(str(folder))


def test_modules_are_loaded_after_what_they_depend_on(tmp_path: Path) -> None:
    kernel = modules(tmp_path, a="b,c", b="d", c="d", d="", x_y="a")
    names = [Path(path).stem for path in kernel.load_order(["x-y", "b"])]
    assert names == ["d", "b", "c", "a", "x_y"]
    assert dependencies(kernel.module_path("a")) == ["b", "c"]


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="has no module missing"):
        modules(tmp_path, a="missing").load_order(["a"])


def test_the_kernel_is_found_in_its_compressed_image() -> None:
    packed = lzma.compress(ELF, lzma.FORMAT_XZ)
    other = lzma.compress(b"not the kernel", lzma.FORMAT_XZ)
    damaged = packed[:40]
    assert uncompressed_image(b"setup" + damaged + other + packed + b"tail") == ELF


def test_an_image_packed_otherwise_is_left_alone() -> None:
    assert uncompressed_image(b"setup, then zstd") == b"setup, then zstd"


def test_an_archive_is_what_cpio_unpacks(tmp_path: Path) -> None:
    archive = Archive()
    archive.add("folder", 0o040755)
    archive.add("folder/file", 0o100644, b"12345")
    archive.add("link", 0o120777, b"folder/file")
    data = archive.finish()
    assert data.startswith(b"070701")
    assert len(data) % 4 == 0
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed: only the layout was checked")
    command = [busybox, "cpio", "-idm"]
    subprocess.run(command, input=data, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "folder" / "file").read_bytes() == b"12345"
    assert (tmp_path / "link").readlink() == Path("folder/file")


def test_what_a_machine_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "QEMU", "no-such-qemu")
    monkeypatch.setattr(machine, "BUSYBOX", "/no/busybox")
    assert machine.missing_packages() == ["qemu-system-x86", "busybox-static"]
