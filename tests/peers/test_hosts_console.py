"""Hosts without windows on our libsane.so.1, each with a Python and with a C device."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.abi import running
from tests.conftest import PREFIX
from tests.peers.frontends import OURS, Scanimage, configure, environment, peer
from tests.peers.original_saned import OriginalSaned
from tests.support.ports import loopback_address
from tests.support.timing import wait_until

HERE = Path(__file__).resolve().parent
PATIENCE = 45.0
VERSION = "0x01020001"  # of our libsane.so.1, 1.2.1
LISTED = [f"test:{number}|Noname|frontend-tester|virtual device" for number in (0, 1)]
KINDS = pytest.mark.parametrize("native", [False, True], ids=["python", "native"])


def configuration(folder: Path, native: bool) -> Path:
    return configure(folder, pysane_conf="native test\n" if native else "")


def await_true(condition: Callable[[], bool], what: str) -> None:
    assert wait_until(condition, PATIENCE), what


def run(command: list[str], env: dict[str, str], folder: Path, patience: float = PATIENCE) -> str:
    """Run it in *folder*: a Python there finds no package of ours by its name."""
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=patience, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def run_original(command: list[str], folder: Path, config: Path) -> str:
    """Run it on the original library, once more if that hangs: now and then its cancel does."""
    try:
        return run(command, environment(config, None), folder, PATIENCE / 4)
    except subprocess.TimeoutExpired:
        return run(command, environment(config, None), folder)


# python3-sane and Image::Sane

PYTHON_SANE = """
import sane
sane.init()
for device in sane.get_devices():
    print("|".join(device))
device = sane.open("test:0")
device.mode, device.resolution = "Color", 75
device.start()
print(device.snap().size)
device.close()
"""


@KINDS
def test_python_sane_lists_and_scans(tmp_path: Path, native: bool) -> None:
    command = [peer("python3"), "-c", "import PIL, _sane"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("peer absent: python3-sane")
    env = environment(configuration(tmp_path / "sane.d", native), OURS)
    assert run([*command[:2], PYTHON_SANE], env, tmp_path).splitlines() == [*LISTED, "(236, 295)"]


@KINDS
def test_image_sane_opens_the_next_device_after_exit_without_init(
    tmp_path: Path, native: bool
) -> None:
    command = [peer("perl"), "-e", "use Image::Sane"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("peer absent: libimage-sane-perl")
    config = configuration(tmp_path / "sane.d", native)
    script = [command[0], str(HERE / "image_sane.pl"), "test:0", "test:1", "test:0"]
    ours = run(script, environment(config, OURS), tmp_path)
    assert ours.splitlines()[:2] == LISTED
    assert ours.splitlines()[2].endswith(f" {236 * 295 * 3} bytes")
    assert ours == run_original(script, tmp_path, config)


# The original saned and net


@KINDS
def test_the_original_saned_serves_the_original_client(tmp_path: Path, native: bool) -> None:
    address = loopback_address()
    config = configuration(tmp_path / "server", native)
    client = configure(tmp_path / "client", "net\n", net_conf=f"{address}\n")
    remote = Scanimage(tmp_path / "remote", client)
    local = Scanimage(tmp_path / "local", config)
    name = f"net:{address}:test:0"
    page = ("--mode=Color", "--test-picture=Color pattern", "--resolution=75")
    (config / "saned.conf").write_text("127.0.0.0/8\n")
    with OriginalSaned(config, address=address, libraries=OURS):
        listed = remote.theirs("-f", "%d|%v|%m|%t%n").stdout.decode().splitlines()
        assert listed == [f"net:{address}:{line}" for line in LISTED]
        shown = remote.theirs("-d", name, "-A").stdout
        assert shown.replace(name.encode(), b"test:0") == local.ours("-d", "test:0", "-A").stdout
        for _ in range(2):
            far = remote.theirs("-d", name, *page)
            assert (far.status, far.stdout) == (0, local.theirs("-d", "test:0", *page).stdout)
        stopped = slow_scan(client, name)
        assert stopped < 2.0
        assert remote.theirs("-d", name, *page).status == 0


def slow_scan(config: Path, device: str) -> float:
    """Interrupt a slow scan through the network; return the seconds until scanimage has ended."""
    slow = ("--resolution=1200", "--read-delay=yes", "--read-delay-duration=200000", "-p")
    with subprocess.Popen(
        [peer("scanimage"), "--format=pnm", "-d", device, *slow],
        env=environment(config, None),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        try:
            assert process.stderr.read(1) == b"P"  # Progress
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
            return time.monotonic() - begin
        finally:
            process.kill()


# LibreOffice's pattern


@KINDS
def test_the_library_is_loaded_and_unloaded_around_each_use(tmp_path: Path, native: bool) -> None:
    program = running.build("reload.c", tmp_path)
    env = environment(configuration(tmp_path / "sane.d", native), OURS)
    # The C backend loses its copy of a name in each init, and starts a thread in each scan: what
    # malloc keeps for such threads comes and goes. memcheck finds nothing of ours lost.
    growth_kb = "16384" if native else "1024"
    library = str(PREFIX / "lib" / "libsane.so.1")
    command = [str(program), library, "sane", "test:0", VERSION, growth_kb]
    done = subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# scanbd

SCANBD = """
global {{
  debug = true
  debug-level = 7
  user = root
  group = root
  scriptdir = {folder}
  timeout = 50
  pidfile = "{folder}/scanbd.pid"
  environment {{ device = "SANE_TEST_DEVICE" action = "SANE_TEST_ACTION" }}
  action scan {{
    filter = "^{option}$"
    numerical-trigger {{ from-value = 0 to-value = 1 }}
    desc = "Scan"
    script = "act"
  }}
}}
"""


class Scanbd:
    """scanbd in the foreground, on a D-Bus of its own; what its script was called for."""

    def __init__(self, folder: Path, config: Path, option: str) -> None:
        self.log = folder / "scanbd.log"
        self.acted = folder / "acted"
        self.button = folder / "button"
        (folder / "scanbd.conf").write_text(SCANBD.format(folder=folder, option=option))
        script = folder / "act"
        script.write_text(
            f'#!/bin/sh\necho "$SANE_TEST_DEVICE $SANE_TEST_ACTION" >> {self.acted}\n'
        )
        script.chmod(0o755)
        drivers = folder / "drivers"
        drivers.mkdir(mode=0o755)
        shutil.copyfile(HERE / "drivers" / "button.py", drivers / "button.py")
        (drivers / "button.py").chmod(0o644)
        scanbd = f"exec {peer('scanbd')} -f -c {folder}/scanbd.conf"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(peer("dbus-run-session"), "--", "sh", "-c"),
                    f"DBUS_SYSTEM_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS {scanbd}",
                ],
                env=environment(config, OURS)
                | {"PYSANE_BACKEND_PATH": str(drivers), "SANE_TEST_BUTTON": str(self.button)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def await_log(self, text: str, times: int = 1) -> None:
        await_true(lambda: self.log.read_text().count(text) >= times, f"{text} is not said")

    def await_action(self, text: str) -> None:
        def acts() -> bool:
            return self.acted.exists() and self.acted.read_text() == text

        assert wait_until(acts, PATIENCE), self.log.read_text()[-4000:]

    def pid(self) -> int:
        """Return the number of scanbd itself."""
        (number,) = (
            Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            .read_text()
            .split()[-1:]
        )
        return int(number)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@pytest.fixture
def scanbd(tmp_path: Path) -> Iterator[Callable[[Path, str], Scanbd]]:
    started: list[Scanbd] = []

    def start(config: Path, option: str) -> Scanbd:
        if os.geteuid() != 0:
            pytest.skip("peer absent: root, which scanbd wants to be")
        started.append(Scanbd(tmp_path, config, option))
        return started[-1]

    yield start
    for daemon in started:
        daemon.close()


def test_scanbd_acts_on_a_button_of_a_python_device(
    scanbd: Callable[[Path, str], Scanbd], tmp_path: Path
) -> None:
    """It polls in a thread for each device; SIGHUP is answered by exit and init in the handler."""
    daemon = scanbd(configure(tmp_path / "sane.d", "button\ntest\n"), "scan")
    daemon.await_log("found device: button:one Acme Button")
    daemon.await_log("found device: test:1 ")
    for times in (1, 2):
        checks = daemon.log.read_text().count("checking option scan")
        daemon.await_log("checking option scan", checks + 2)  # it is said before the value is read
        daemon.button.touch()
        daemon.await_action("button:one scan\n")
        daemon.acted.unlink()
        daemon.button.unlink()
        if times == 1:
            os.kill(daemon.pid(), signal.SIGHUP)
            daemon.await_log("found device: button:one Acme Button", 2)
    os.kill(daemon.pid(), signal.SIGTERM)
    assert daemon.process.wait(PATIENCE) == 0


def test_scanbd_polls_c_devices_side_by_side(
    scanbd: Callable[[Path, str], Scanbd], tmp_path: Path
) -> None:
    daemon = scanbd(configuration(tmp_path / "sane.d", native=True), "hand-scanner")
    for device in ("test:0", "test:1"):
        daemon.await_log(f"checking option hand-scanner number 4 (0) for device {device}", 3)
    os.kill(daemon.pid(), signal.SIGTERM)
    assert daemon.process.wait(PATIENCE) == 0
