"""C backends asked for devices: bad ones cost only themselves; the host sees nothing."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import cc
from tests.abi import running
from tests.conftest import PREFIX
from tests.support.timing import wait_until

SOURCE = Path(__file__).resolve().parent / "libraries" / "lister.c"
GOOD = ["one|Acme|S1|flatbed scanner", "two|Acme|S2|flatbed scanner"]
PATIENCE = 5.0
Environ = dict[str, str]


class Backends:
    """C backends built from lister.c in a folder of their own, and the list of a C program."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        self.program = program
        self.config = folder / "sane.d"
        self.libraries = folder / "backends"
        self.pids = folder / "pids"
        for path in (self.config, self.libraries):
            path.mkdir()
        self.names: list[str] = []

    def add(self, name: str, kind: str, *flags: str) -> None:
        """Build libsane-<name>.so.1 and add it to dll.conf."""
        cc.compile_program(
            SOURCE,
            self.libraries / f"libsane-{name}.so.1",
            *("-shared", "-fPIC", "-Wall", "-Wextra", f"-I{cc.INCLUDE}"),
            *(f"-DBACKEND={name}", f'-DKIND="{kind}"', *flags),
        )
        self.names.insert(0, name)  # the last line of dll.conf comes first
        (self.config / "dll.conf").write_text("\n".join(self.names) + "\n")

    def environment(self, base: Environ, **more: str) -> Environ:
        libraries = f"{base['LD_LIBRARY_PATH']}:{self.libraries}"
        own = {"LD_LIBRARY_PATH": libraries, "SANE_CONFIG_DIR": str(self.config)}
        return base | own | {"SANE_TEST_PIDS": str(self.pids)} | more

    def left(self) -> list[int]:
        """Return which of the processes that a backend noted still run."""
        found = [int(line) for line in self.pids.read_text().split()]
        return [pid for pid in found if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def await_true(condition: Callable[[], bool]) -> None:
    assert wait_until(condition, PATIENCE)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build("listing.c", tmp_path_factory.mktemp("listing"))


@pytest.fixture
def backends(tmp_path: Path, program: Path) -> Backends:
    folder = tmp_path / "c"
    folder.mkdir()
    return Backends(folder, program)


def listed(backends: Backends, environment: Environ, case: str = "print") -> tuple[list[str], str]:
    """Return the lines that the program prints, and what appeared on stderr."""
    done = running.passes(backends.program, case, environment)
    return done.stdout.splitlines(), done.stderr


def test_devices_are_listed_under_the_names_of_their_backends(
    backends: Backends, staged_environment: Environ
) -> None:
    for name in ("a1", "a2"):
        backends.add(name, "good")
    lines, said = listed(backends, backends.environment(staged_environment))
    assert lines == [f"{name}:{line}" for name in ("a1", "a2") for line in GOOD]
    assert said == ""


# kind: what stderr says of it, and at which debug level; the devices it lists all the same
BAD: dict[str, tuple[str, int, list[str]]] = {
    "crash in the constructor": ("it crashed while it was loaded, with signal 11", 0, []),
    "crash in init": ("it crashed in init, with signal 11", 0, []),
    "crash": ("it crashed in get_devices, with signal 11", 0, []),
    "crash in exit": ("", 0, GOOD),
    "hang": ("it was ended after N s in get_devices", 0, []),
    "hang in exit": ("", 0, GOOD),
    "exit": ("it called exit(3) in get_devices", 0, []),
    "exit in init": ("it called exit(0) in init", 0, []),
    "failing": ("get_devices: status 10", 1, []),
    "failing init": ("init: status 9", 1, []),
    "version 2": ("its version is 2, not 1", 1, []),
    "print": ("it wrote 23 bytes to stdout in get_devices", 1, GOOD),
    "print without end": ("it was ended after N s in get_devices", 0, []),
    "close all": ("it called exit(0) in get_devices", 0, []),
    "unresolved": ("it called exit(127) in get_devices", 0, []),
    "NULL texts": ("get_devices lists a device without a name", 0, ["one|Noname|scanner|scanner"]),
    "NULL list": ("", 0, []),
    "wild pointer": ("it crashed in get_devices, with signal 11", 0, []),
    "without end": ("it lists more than 10000 devices", 1, []),
    "fork": ("", 0, GOOD),
    "stray": ("", 0, GOOD),
    "latin-1": ("", 0, ['one|Acme|S1 f\udcfcr "B\udcfcro"|flatbed scanner', GOOD[1]]),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_backend_is_named_and_the_others_are_listed(
    backends: Backends, staged_environment: Environ, kind: str
) -> None:
    message, level, devices = BAD[kind]
    backends.add("before", "good")
    backends.add("bad", kind)
    backends.add("after", "good")
    timeout = "1.5" if "hang" in kind or "without end" in kind else "20"
    environment = backends.environment(
        staged_environment, PYSANE_LIST_TIMEOUT=timeout, SANE_DEBUG_DLL=str(level)
    )
    if level == 0:
        del environment["SANE_DEBUG_DLL"]
    done = subprocess.run(
        [backends.program, "print"],
        env=environment,
        capture_output=True,
        timeout=running.TIMEOUT,
        check=True,
    )
    lines = done.stdout.decode("utf-8", "surrogateescape").splitlines()
    said = [line for line in done.stderr.decode().splitlines() if "backend bad: " in line]
    expected = [("before", GOOD), ("bad", devices), ("after", GOOD)]
    assert lines == [f"{name}:{line}" for name, found in expected for line in found]
    told = [re.sub(r"[\d.]+ s", "N s", line.partition("backend bad: ")[2]) for line in said]
    assert told == ([message] if message else []), done.stderr


@pytest.mark.parametrize("missing", ["INIT", "GET_DEVICES"])
def test_a_backend_without_a_function_is_named(
    backends: Backends, staged_environment: Environ, missing: str
) -> None:
    backends.add("bad", "good", f"-DWITHOUT_{missing}")
    backends.add("after", "good")
    environment = backends.environment(staged_environment, SANE_DEBUG_DLL="1")
    lines, said = listed(backends, environment)
    assert lines == [f"after:{line}" for line in GOOD]
    assert f"backend bad: it has no function sane_bad_{missing.lower()}\n" in said


def test_a_library_that_cannot_be_loaded_is_named(
    backends: Backends, staged_environment: Environ
) -> None:
    backends.add("bad", "good")
    backends.add("after", "good")
    (backends.libraries / "libsane-bad.so.1").write_text("not an ELF file")
    lines, said = listed(backends, backends.environment(staged_environment, SANE_DEBUG_DLL="1"))
    assert lines == [f"after:{line}" for line in GOOD]
    assert "libsane-bad.so.1: file too short\n" in said or "invalid ELF header\n" in said


@pytest.mark.parametrize("kind", ["hang", "fork", "stray"])
def test_no_process_of_a_backend_outlives_the_list(
    backends: Backends, staged_environment: Environ, kind: str
) -> None:
    backends.add("bad", kind)
    environment = backends.environment(staged_environment, PYSANE_LIST_TIMEOUT="0.3")
    listed(backends, environment)
    await_true(lambda: backends.left() == [])


def test_the_helper_ends_when_its_host_is_killed(
    backends: Backends, staged_environment: Environ
) -> None:
    backends.add("bad", "hang")
    host = subprocess.Popen(
        [backends.program, "print"], env=backends.environment(staged_environment)
    )
    await_true(lambda: backends.pids.exists() and len(backends.left()) == 1)
    host.send_signal(signal.SIGKILL)
    host.wait(PATIENCE)
    await_true(lambda: backends.left() == [])


def test_backends_are_asked_in_what_sane_init_recorded(
    backends: Backends, staged_environment: Environ, tmp_path: Path
) -> None:
    """Environment and directory; signals by default; no descriptor but the standard ones."""
    backends.add("tst", "tell")
    environment = backends.environment(staged_environment, SANE_TEST_TELL="recorded")
    done = subprocess.run(
        [backends.program, "recorded"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=running.TIMEOUT,
        cwd=tmp_path,
        check=True,
    )
    name, vendor, model, kind = done.stdout.splitlines()[0].split("|")
    assert (name, vendor) == ("tst:recorded", str(tmp_path))
    assert model == "ignored 0 blocked 0 session 1"
    assert kind.split() == ["0", "1", "2", "3"]  # the last one to answer on


def test_local_only_is_passed_on(backends: Backends, staged_environment: Environ) -> None:
    backends.add("tst", "local")
    lines, _ = listed(backends, backends.environment(staged_environment))
    assert lines[0].split("|")[2] == "all"


def test_backends_are_asked_side_by_side(backends: Backends, staged_environment: Environ) -> None:
    """Ten that wait 0.3 s each; one after another they would not fit into the deadline."""
    names = [f"w{number}" for number in range(10)]
    for name in names:
        backends.add(name, "waiting")
    begin = time.monotonic()
    lines, _ = listed(backends, backends.environment(staged_environment))
    assert time.monotonic() - begin < 2.9
    assert lines == [f"{name}:{line}" for name in names for line in GOOD]


def test_list_jobs_1_asks_one_after_another(
    backends: Backends, staged_environment: Environ
) -> None:
    (backends.config / "pysane.conf").write_text("list-jobs 1\n")
    for name in ("w1", "w2", "w3"):
        backends.add(name, "waiting")
    begin = time.monotonic()
    lines, _ = listed(backends, backends.environment(staged_environment))
    assert time.monotonic() - begin >= 0.9
    assert len(lines) == 6


def test_a_kept_list_is_used_by_the_next_program(
    backends: Backends, staged_environment: Environ, tmp_path: Path
) -> None:
    (backends.config / "pysane.conf").write_text("list-cache 300\n")
    backends.add("tst", "tell")
    environment = backends.environment(
        staged_environment, XDG_CACHE_HOME=str(tmp_path / "cache"), SANE_TEST_TELL="first"
    )
    first, _ = listed(backends, environment)
    assert first[0].startswith("tst:first|")
    assert listed(backends, environment | {"SANE_TEST_TELL": "second"}) == (first, "")
    assert (tmp_path / "cache" / "pysane" / "devices").stat().st_mode & 0o777 == 0o600


def test_a_device_of_several_backends_is_merged_on_demand(
    backends: Backends, staged_environment: Environ
) -> None:
    for name in ("m1", "m2", "m3"):
        backends.add(name, "tell")
    environment = backends.environment(staged_environment, SANE_TEST_TELL="libusb:001:002")

    def names() -> list[str]:
        return [line.split("|")[0] for line in listed(backends, environment)[0]]

    place = "libusb:001:002"
    everything = [f"{name}:{device}" for name in ("m1", "m2", "m3") for device in (place, "two")]
    assert names() == everything
    (backends.config / "pysane.conf").write_text("list-merge m2\n")
    assert names() == [f"m2:{place}", "m1:two", "m2:two", "m3:two"]


def with_usb(backends: Backends, base: Environ, *names: str, **more: str) -> Environ:
    """Build backends that claim the interface of a libusb of ours; return the environment."""
    usb = backends.libraries / "libusb-1.0.so.0"
    flags = ("-shared", "-fPIC", "-Wl,-soname,libusb-1.0.so.0")
    cc.compile_program(SOURCE.with_name("usb.c"), usb, *flags)
    for name in names:
        backends.add(name, "good", "-DUSB", str(usb))
    return backends.environment(base, SANE_TEST_LOCK=str(backends.folder / "lock"), **more)


def test_backends_that_share_a_usb_device_wait_for_each_other(
    backends: Backends, staged_environment: Environ
) -> None:
    """As under the original dll, which asks one after another, each of them finds it."""
    environment = with_usb(backends, staged_environment, "u1", "u2", "u3")
    lines, said = listed(backends, environment)
    assert lines == [f"{name}:{line}" for name in ("u1", "u2", "u3") for line in GOOD]
    assert said == ""


@pytest.mark.parametrize("driver", [False, True])
def test_a_claim_does_not_wait_for_a_kernel_driver_nor_for_ever(
    backends: Backends, staged_environment: Environ, driver: bool
) -> None:
    environment = with_usb(backends, staged_environment, "u1", SANE_DEBUG_DLL="5")
    (backends.folder / "lock").touch()
    if driver:
        environment["SANE_TEST_DRIVER"] = "usblp"
    lines, said = listed(backends, environment)
    assert lines == []
    assert "backend u1: get_devices: status 3" in said
    ms = int(said.partition("u1: answered after ")[2].split()[0])
    assert ms < 900 if driver else ms >= 1000


HOSTS = [case for _, case in running.cases("listing") if case not in ("print", "recorded")]


@pytest.mark.parametrize("case", HOSTS)
def test_the_host_notices_nothing(
    backends: Backends, staged_environment: Environ, case: str
) -> None:
    backends.add("bad", "crash")
    backends.add("tst", "good")
    lines, said = listed(backends, backends.environment(staged_environment), case)
    assert lines == []
    assert "it crashed" in said


def test_a_python_and_a_c_backend_are_listed_together(
    backends: Backends, staged_environment: Environ
) -> None:
    backends.add("tst", "good")
    with (backends.config / "dll.conf").open("a") as file:
        file.write("test\n")
    lines, _ = listed(backends, backends.environment(staged_environment))
    assert [line.split("|")[0] for line in lines] == ["test:0", "test:1", "tst:one", "tst:two"]


def test_probe_by_hand_says_how_it_is_used() -> None:
    probe = PREFIX / "libexec" / "pysane" / "probe"
    done = subprocess.run([probe], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert "is started by PySANE" in done.stderr


def test_a_thread_sanitizer_of_the_host_stays_on(
    backends: Backends, staged_environment: Environ, tmp_path: Path
) -> None:
    try:
        program = running.build("relay.c", tmp_path, "-fsanitize=thread")
    except RuntimeError as exc:
        if "tsan" not in str(exc):
            raise
        pytest.skip("peer absent: libtsan")
    backends.add("a1", "good")
    # A sanitizer that takes the helper for a fork would end the host at its next thread.
    options = staged_environment.get("TSAN_OPTIONS", "") + ":die_after_fork=0"
    environment = backends.environment(staged_environment, TSAN_OPTIONS=options)
    done = running.run([program], environment)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("peer absent: a libtsan that knows how this kernel lays memory out")
    assert (done.returncode, done.stderr) == (0, "")
