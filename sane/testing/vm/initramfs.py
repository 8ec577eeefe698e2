"""The initramfs: busybox, modules in load order, and an /init that hands over to the host's root.

Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst (the newc format).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kernel import Kernel

BUSYBOX = "/bin/busybox"
MODULES = [
    *("virtio_pci", "virtio_console", "9p", "9pnet_virtio", "overlay", "usbcore", "xhci-pci"),
    "usbmon",
]
FOLDERS = ("bin", "dev", "proc", "sys", "new", "mod", "host", "rw")

# Everything of the host's root is there, under a file system in memory that takes the writes.
# Layer N lies above layer N-1. The agent runs the scripts that the share holds, one at a time, and
# answers with their number and exit status.
INIT = r"""#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sys /sys; $B mount -t devtmpfs dev /dev
while read -r m; do $B insmod /mod/$m || echo "insmod $m failed"; done </mod/order
P9=trans=virtio,version=9p2000.L,msize=262144
$B mount -t 9p -o ro,cache=loose,$P9 hostroot /host
low=/host
for w in $($B cat /proc/cmdline); do case $w in layers=*) n=${w#*=};; esac; done
i=0; while [ $((i += 1)) -le ${n:-0} ]; do
  $B mkdir /layer$i; $B mount -t 9p -o ro,cache=loose,$P9 layer$i /layer$i
  low=/layer$i:$low
done
$B mount -t tmpfs -o size=50% tmpfs /rw; $B mkdir /rw/u /rw/w
$B mount -t overlay -o lowerdir=$low,upperdir=/rw/u,workdir=/rw/w overlay /new
for d in proc sys dev; do $B mount -o move /$d /new/$d; done
$B mkdir -p /new/dev/pts /new/dev/shm /new/run
$B mount -t devpts devpts /new/dev/pts; $B mount -t tmpfs tmpfs /new/dev/shm
$B mount -t tmpfs tmpfs /new/run
$B mkdir /new/run/share; $B mount -t 9p -o cache=none,$P9 share /new/run/share
$B mkdir -p /new/run/b; $B cp /bin/busybox /new/run/b/busybox
$B ifconfig lo 127.0.0.1 up
for p in /new/sys/class/virtio-ports/*; do
  read -r n <$p/name; [ "$n" = agent ] && A=/dev/${p##*/}
done
cd /new
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
exec $B chroot /new /run/b/busybox sh -c '
  exec 3<>'$A'; echo ready >&3
  while read -r n cmd <&3; do
    /bin/bash /run/share/cmd.$n >/run/share/out.$n 2>/run/share/err.$n </dev/null 3>&-
    echo "$n $?" >&3
  done; /run/b/busybox poweroff -f'
"""


class Archive:
    """A cpio archive in the newc format."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._inode = 0

    def add(
        self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)
    ) -> None:
        """Add an entry; *data* of a link is where it points."""
        self._inode += 1
        encoded = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self._parts += [_padded(head), _padded(data)]

    def finish(self) -> bytes:
        """Return the whole archive."""
        self.add("TRAILER!!!", 0)
        return b"".join(self._parts)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def build(kernel: Kernel) -> bytes:
    """Return the initramfs for *kernel*."""
    archive = Archive()
    for folder in FOLDERS:
        archive.add(folder, stat.S_IFDIR | 0o755)
    with open(BUSYBOX, "rb") as file:
        archive.add("bin/busybox", stat.S_IFREG | 0o755, file.read())
    archive.add("bin/sh", stat.S_IFLNK | 0o777, b"busybox")
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    order = kernel.load_order(MODULES)
    for path in order:
        with open(path, "rb") as file:
            archive.add(f"mod/{os.path.basename(path)}", stat.S_IFREG | 0o644, file.read())
    names = "".join(f"{os.path.basename(path)}\n" for path in order)
    archive.add("mod/order", stat.S_IFREG | 0o644, names.encode())
    archive.add("init", stat.S_IFREG | 0o755, INIT.encode())
    return archive.finish()
