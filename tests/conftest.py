"""What all tests share: absent peers, and what must not be left behind.

Tests marked ``process`` start programs on the staged libraries, whatever tree is tested.
SANE_TEST_PEERS=required makes an absent peer fail.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sane  # at once: pytest puts the checkout in front of the path again
from sane.testing.usb.hosted import Umockdev, missing_for_umockdev
from tests import ROOT, TREE, slow

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = Path(os.environ.get("SANE_TEST_PREFIX") or ROOT / "build" / "prefix").resolve()
ABSENT = "peer absent: "
THREAD_SECONDS = 2.0

sys.path.insert(0, str(ROOT / "packaging"))

assert Path(sane.__file__).resolve().is_relative_to(TREE), (sane.__file__, TREE)


def pytest_configure(config: pytest.Config) -> None:
    from hypothesis import settings

    settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
    settings.load_profile("unhurried")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores it, and so would every program that a test interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:  # by nohup, or a service that started us
            signal.signal(number, signal.SIG_DFL)
    config.addinivalue_line("markers", "process: runs programs on the staged libraries")
    config.addinivalue_line("markers", "vm: needs the virtual machine (make test-usb)")
    config.addinivalue_line("markers", "long: minutes of work (make test-long)")
    config.addinivalue_line("markers", "slow: make check leaves it out, see tests/slow.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    left_out = slow.names()
    for item in items:
        if slow.function_of(item.nodeid) in left_out:
            item.add_marker(pytest.mark.slow)
        folders = Path(item.path).relative_to(ROOT / "tests").parts
        if {"abi", "peers", "vm"} & set(folders):
            item.add_marker(pytest.mark.process)
        if "vm" in folders:
            item.add_marker(pytest.mark.vm)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if (
        report.skipped
        and os.environ.get("SANE_TEST_PEERS") == "required"
        and isinstance(report.longrepr, tuple)
        and ABSENT in report.longrepr[2]
    ):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[2]} (SANE_TEST_PEERS=required)"


def descriptors() -> set[str]:
    """Return what the open descriptors of this process point to, with their numbers."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{name}:{os.readlink(f'/proc/self/fd/{name}')}")
        except OSError:
            continue  # the one that listed them
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Fail a test that leaves a thread or a descriptor, or writes to stdout."""
    threads = threading.active_count()
    before = descriptors()
    yield
    left = {entry for entry in descriptors() - before if "/tmp" not in entry}
    assert not left, f"descriptors left open: {left}"
    ends_by = time.monotonic() + THREAD_SECONDS
    while threading.active_count() > threads and time.monotonic() < ends_by:
        time.sleep(0.01)  # for one that has done its work and is about to end
    assert threading.active_count() <= threads, f"threads left: {threading.enumerate()}"
    assert capfd.readouterr().out == "", "something was written to stdout"


@pytest.fixture(autouse=True)
def no_daemon_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the machine's own Avahi knows out of the tests."""
    monkeypatch.setattr("sane.discovery.dbus.SOCKET", "/nonexistent")


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    """Return a config directory: dll.conf with ``test``, and the shipped test.conf."""
    folder = tmp_path / "sane.d"
    folder.mkdir()
    (folder / "dll.conf").write_text("test\n")
    (folder / "test.conf").write_text((ROOT / "etc" / "test.conf").read_text())
    return folder


@pytest.fixture
def staged_environment(config_dir: Path) -> dict[str, str]:
    """Return the environment in which programs use the staged libsane.so.1 and *config_dir*."""
    if not (PREFIX / "lib" / "libsane.so.1").exists():
        pytest.fail(f"nothing staged in {PREFIX}: make build")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SANE_")}
    return {
        **kept,
        "LD_LIBRARY_PATH": str(PREFIX / "lib"),
        "SANE_CONFIG_DIR": str(config_dir),
        "LC_ALL": "C",
    }


@pytest.fixture(scope="session")
def umockdev_host() -> Iterator[Umockdev]:
    """Return the process that holds the emulated USB devices of all tests."""
    missing = missing_for_umockdev()
    if missing:
        pytest.skip(f"{ABSENT}umockdev ({missing})")
    with Umockdev() as bus:
        yield bus


@pytest.fixture
def usb_bus(umockdev_host: Umockdev) -> Iterator[Umockdev]:
    """Return a bus without devices, to plug emulated ones into; docs/testing-usb.md.

    Programs see it that run with its `environment` added to theirs.
    """
    yield umockdev_host
    umockdev_host.unplug_all()
