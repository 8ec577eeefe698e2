"""The announcement by DNS-SD: who makes it, what it says, and when it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sane.saned import announce
from sane.wire.protocol import ADVERTISED
from tests.support.timing import wait_until

PUBLISHER = """#!/bin/sh
echo "$@" >> {told}
[ -e {absent} ] && exit 1
exec sleep 60
"""


class Publisher:
    """A program avahi-publish that writes down what it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.told = folder / "told"
        self.absent = folder / "no-daemon"
        program = folder / "avahi-publish"
        program.write_text(PUBLISHER.format(told=self.told, absent=self.absent))
        program.chmod(0o755)

    def lines(self) -> list[str]:
        return self.told.read_text().splitlines() if self.told.exists() else []


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Publisher(tmp_path)


def children(pid: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def start(log: Path) -> announce.Announcer:
    def write(level: int, text: str) -> None:
        with log.open("a") as file:
            file.write(f"{text}\n")

    return announce.start(40000, write, lambda: None)  # type: ignore[arg-type]


def test_the_service_is_published_with_port_and_version(
    publisher: Publisher, tmp_path: Path
) -> None:
    announcer = start(tmp_path / "log")
    try:
        assert wait_until(lambda: bool(publisher.lines()))
        expected = f"-s saned _sane-port._tcp 40000 protovers={ADVERTISED:x}"
        assert publisher.lines() == [expected]
        (published,) = children(announcer.pid)
    finally:
        announcer.disown()
        os.waitpid(announcer.pid, 0)
    assert not Path(f"/proc/{published}").exists()


def test_without_a_daemon_nothing_is_announced(publisher: Publisher, tmp_path: Path) -> None:
    publisher.absent.touch()
    announcer = start(tmp_path / "log")
    assert os.waitpid(announcer.pid, 0)[1] == 0
    announcer.disown()
    assert len(publisher.lines()) == 1
    try:
        import zeroconf  # noqa: F401
    except ImportError:
        assert "not announced by DNS-SD" in (tmp_path / "log").read_text()


def test_version_in_the_text_record_is_hexadecimal_without_a_prefix() -> None:
    assert announce.service(6566).records() == ["protovers=1020003"]
