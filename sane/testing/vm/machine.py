"""A QEMU machine that runs the host's own programs under another kernel, with USB ports to plug.

    machine = VirtualMachine(kernel, folder, [socket], layers=[destdir])
    with Usbredir(socket) as bus, machine:
        bus.plug(MyScanner)
        machine.wait_for_usb(1)
        print(machine.check("scanimage -L"))

Boots in about 7 s; emulated, since KVM is absent or half there on too many machines. Scripts are
run one at a time by an agent in the guest, as root; the folder `share` is /run/share there. The
host's files appear read-only and may be stale when they change while the machine runs: what
changes belongs into the share.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from .initramfs import BUSYBOX, build

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .kernel import Kernel

QEMU = "qemu-system-x86_64"
BOOT_DEADLINE = 120.0  # seconds; 6 to 10 on an idle machine
DEADLINE = 60.0  # of a script
MEMORY_MB = 512
CACHE_MB = 64  # of translated code: no slower than the default and 100 MB smaller

COMMAND_LINE = (
    "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable audit=0 apparmor=0 "
    "selinux=0 rcupdate.rcu_expedited=1 no_timer_check cryptomgr.notests random.trust_cpu=on"
)
INTERFACES = "/sys/bus/usb/devices/*-[1-9]*:1.0"  # 1-0:1.0 is the root hub, and always there


class MachineError(Exception):
    """The machine did not do what it should; the text has what it said."""


class Outcome(NamedTuple):
    """What a script left: exit status and output."""

    status: int
    stdout: bytes
    stderr: str


class VirtualMachine:
    """A running machine; *sockets* are those of its USB ports, *layers* folders above its root.

    *folder* is the machine's own: it gets the initramfs, the share and the console's log.
    """

    def __init__(
        self, kernel: Kernel, folder: str, sockets: list[str], layers: list[str] | None = None
    ) -> None:
        self._kernel = kernel
        self.share = os.path.join(os.path.abspath(folder), "share")
        self._log = os.path.join(os.path.abspath(folder), "console.log")
        shutil.rmtree(self.share, ignore_errors=True)
        os.makedirs(self.share)
        initramfs = os.path.join(folder, "initramfs.cpio")
        with open(initramfs, "wb") as file:
            file.write(build(kernel))
        self._number = 0
        self._is_busy = False
        self._end = ""  # why it is switched off
        self._answers = b""
        folders = {"hostroot": "/", "share": self.share}
        for number, layer in enumerate(layers or [], 1):
            folders[f"layer{number}"] = os.path.abspath(layer)
        command = _command(kernel.image, initramfs, self._log, folders, sockets)
        self._qemu = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            self._expect("ready", BOOT_DEADLINE)
        except BaseException:
            self.close()
            raise

    # Scripts

    def start(self, script: str) -> None:
        """Start a bash script; `finish` waits for it. One that still runs is waited for first."""
        if self._end:
            raise MachineError(f"the machine was stopped before: {self._end}")
        if self._is_busy:
            self.finish()
        self._is_busy = True
        self._number += 1
        with open(os.path.join(self.share, f"cmd.{self._number}"), "w", encoding="utf-8") as file:
            file.write(script)
        assert self._qemu.stdin is not None
        self._qemu.stdin.write(b"%d x\n" % self._number)
        self._qemu.stdin.flush()

    def finish(self, seconds: float = DEADLINE) -> Outcome:
        """Wait for the script that was started; without an answer the machine is stopped."""
        answer = self._expect(f"{self._number} ", seconds)
        self._is_busy = False
        out = os.path.join(self.share, f"out.{self._number}")
        err = os.path.join(self.share, f"err.{self._number}")
        with open(out, "rb") as file:
            stdout = file.read()
        with open(err, encoding="utf-8", errors="replace") as text:
            stderr = text.read()
        for path in (out, err):
            os.unlink(path)
        return Outcome(int(answer.split()[1]), stdout, stderr)

    def run(self, script: str, seconds: float = DEADLINE) -> Outcome:
        """Run a bash script."""
        self.start(script)
        return self.finish(seconds)

    def check(self, script: str, seconds: float = DEADLINE) -> str:
        """Run a bash script that must succeed; return its output as text."""
        outcome = self.run(script, seconds)
        if outcome.status:
            raise MachineError(f"status {outcome.status} of {script!r}: {outcome.stderr}")
        return outcome.stdout.decode("utf-8", "replace")

    # Kernel and USB

    def load(self, *modules: str) -> None:
        """Load kernel modules with what they depend on, those that are not loaded yet."""
        folder = os.path.join(self.share, "modules")
        os.makedirs(folder, exist_ok=True)
        script = ""
        for path in self._kernel.load_order(list(modules)):
            name = os.path.basename(path)
            shutil.copy(path, folder)
            loaded = f"/sys/module/{name.partition('.')[0]}"
            script += f"[ -d {loaded} ] || /run/b/busybox insmod /run/share/modules/{name}\n"
        self.check(f"set -e\n{script}")

    def usb_names(self) -> list[str]:
        """Return the devices on the USB ports as SANE names them, in the order of the bus."""
        script = f"""
            shopt -s nullglob
            for i in {INTERFACES}; do
              d=${{i%:*}}; printf 'libusb:%03d:%03d\\n' $(<$d/busnum) $(<$d/devnum)
            done"""
        return self.check(script).split()

    def wait_for_usb(self, count: int, seconds: float = 15.0) -> list[str]:
        """Wait until *count* devices are on the USB ports; return their names."""
        script = f"""
            shopt -s nullglob
            for (( n = 0; n < {seconds * 20:.0f}; n++ )); do
              found=({INTERFACES}); [ ${{#found[@]}} = {count} ] && exit; sleep 0.05
            done; exit 1"""
        if self.run(script, seconds + DEADLINE).status:
            raise MachineError(f"{self.usb_names()} after {seconds:g} s, not {count} devices")
        return self.usb_names()

    # The end

    def close(self) -> None:
        """Switch the machine off."""
        if not self._end:
            self._end = "it was closed"
            self._qemu.kill()
            self._qemu.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _expect(self, beginning: str, seconds: float) -> str:
        """Return the agent's next line, which begins as given."""
        assert self._qemu.stdout is not None
        end = time.monotonic() + seconds
        while b"\n" not in self._answers:
            ready = select.select([self._qemu.stdout], [], [], max(0.0, end - time.monotonic()))[0]
            piece = os.read(self._qemu.stdout.fileno(), 4096) if ready else b""
            if not piece:
                why = "ended" if ready else f"did not answer within {seconds:g} s"
                self._qemu.kill()
                said = self._qemu.communicate()[1].decode("utf-8", "replace")
                self._end = f"it {why}"
                raise MachineError(f"the machine {why}: {said}{self._console()}")
            self._answers += piece
        line, _, self._answers = self._answers.partition(b"\n")
        text = line.decode().strip()
        if not f"{text} ".startswith(beginning):
            raise MachineError(f"the machine said {text!r}, expected {beginning!r}")
        return text

    def _console(self) -> str:
        """Return the end of what the kernel printed."""
        try:
            with open(self._log, encoding="utf-8", errors="replace") as file:
                return file.read()[-2000:]
        except FileNotFoundError:
            return ""


def missing_packages() -> list[str]:
    """Return the packages without which no machine can be started."""
    needs = (("qemu-system-x86", shutil.which(QEMU)), ("busybox-static", os.path.exists(BUSYBOX)))
    return [package for package, present in needs if not present]


def _command(
    image: str, initramfs: str, log: str, folders: dict[str, str], sockets: list[str]
) -> list[str]:
    """Return QEMU's command line; *folders* are what the guest mounts, by their tags."""
    command = [
        *(QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-M", "q35"),
        *("-cpu", "max", "-accel", f"tcg,thread=multi,tb-size={CACHE_MB}"),
        *("-m", str(MEMORY_MB), "-smp", "1", "-kernel", image, "-initrd", initramfs),
        *("-append", f"{COMMAND_LINE} layers={len(folders) - 2}", "-serial", f"file:{log}"),
        *("-device", "virtio-serial-pci", "-chardev", "stdio,id=agent,signal=off"),
        *("-device", "virtserialport,chardev=agent,name=agent"),
    ]
    for tag, path in folders.items():
        mode = "" if tag == "share" else ",readonly=on"
        local = f"local,id={tag},path={path},security_model=none,multidevs=remap{mode}"
        command += ["-fsdev", local, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    command += ["-device", "qemu-xhci,id=x,p2=15,p3=15"]
    for number, path in enumerate(sockets):
        command += ["-chardev", f"socket,id=u{number},path={path}"]
        command += ["-device", f"usb-redir,chardev=u{number},bus=x.0"]
    return command
