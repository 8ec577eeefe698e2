"""pysane doctor, sharing: units, groups and saned.conf of a machine of folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sane.cli.doctor import service
from sane.cli.doctor.finding import FAULT, OK, WARNING
from tests.support.doctor import Place
from tests.support.ports import free_ports, listener

WANTED = "etc/systemd/system/sockets.target.wants/saned.socket"
UNIT = "usr/lib/systemd/system/saned.socket"
SERVICE = "usr/lib/systemd/system/saned@.service"
PASSWD = "root:x:0:0::/root:/bin/sh\nsaned:x:110:115::/nonexistent:/bin/false\n"


@contextmanager
def port(monkeypatch: pytest.MonkeyPatch, is_open: bool) -> Iterator[int]:
    """Let saned's port be one at which somebody listens, or nobody."""
    if not is_open:
        number = free_ports(1)
        monkeypatch.setattr(service, "service_port", lambda *_: number)
        yield number
        return
    with listener() as sock:
        number = sock.getsockname()[1]
        monkeypatch.setattr(service, "service_port", lambda *_: number)
        yield number


@pytest.mark.parametrize(
    ("is_open", "files", "conf", "level", "text", "command"),
    [
        (False, (), "", OK, "This machine shares no scanners (saned is not enabled).", ""),
        (True, (WANTED, UNIT), "", OK, "A server of scanners (saned) listens at port {port}.", ""),
        (
            *(True, (UNIT,), "", WARNING),
            "saned listens at port {port}, but will not after the next start of the machine.",
            "sudo systemctl enable saned.socket",
        ),
        (
            *(False, (WANTED, UNIT), "", FAULT),
            "saned.socket is enabled, but nothing listens at port {port}.",
            "sudo systemctl restart saned.socket",
        ),
        (
            *(False, (UNIT,), "192.0.2.0/24\n", WARNING),
            "saned.conf lets other machines in, but saned is not enabled: nobody listens.",
            "sudo systemctl enable --now saned.socket",
        ),
    ],
)
def test_the_socket(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_open: bool,
    files: tuple[str, ...],
    conf: str,
    level: str,
    text: str,
    command: str,
) -> None:
    place = Place(tmp_path, saned=conf)
    for file in files:
        place.write(file)
    with port(monkeypatch, is_open) as number:
        found = place.one("service.socket")
    assert found == (level, text.format(port=number), command)


@pytest.mark.parametrize(
    ("passwd", "group", "unit", "level", "text", "command"),
    [
        (
            PASSWD,
            "scanner:x:120:anna,saned\n",
            "",
            OK,
            "The user saned is in the group scanner.",
            "",
        ),
        (
            *(PASSWD, "scanner:x:120:anna\n", "User=saned\n", FAULT),
            "The user saned is not in the group scanner: saned cannot open USB scanners.",
            "sudo usermod -aG scanner saned",
        ),
        (
            *(PASSWD, "scanner:x:120:\n", "User=scans\n", FAULT),
            "saned is to run as the user scans, who does not exist.",
            "sudo useradd --system --user-group --groups scanner --home-dir /nonexistent scans",
        ),
        (
            *(PASSWD, "scanner:x:120:\n", "User=root\n", WARNING),
            "saned runs as root: a fault in it gives away the whole machine.",
            "",
        ),
    ],
)
def test_the_user_of_saned(
    tmp_path: Path, passwd: str, group: str, unit: str, level: str, text: str, command: str
) -> None:
    place = Place(tmp_path)
    place.write(WANTED)
    place.write(SERVICE, f"[Service]\n{unit}")
    place.write("etc/passwd", passwd)
    place.write("etc/group", group)
    assert place.one("service.group") == (level, text, command)


def test_a_group_does_not_matter_without_saned(tmp_path: Path) -> None:
    assert Place(tmp_path).one("service.group")[0] == OK


@pytest.mark.parametrize(
    ("conf", "listens", "level", "text"),
    [
        ("", False, OK, "saned.conf lets in only programs on this machine."),
        ("", True, WARNING, "saned listens, but saned.conf lets in only programs on this machine."),
        ("192.0.2.0/24\n", True, OK, "saned.conf lets in 1 entry beside this machine."),
        ("+\n", True, WARNING, "saned.conf lets in everybody who reaches this machine ({file}:1)."),
    ],
)
def test_whom_saned_conf_lets_in(
    tmp_path: Path, conf: str, listens: bool, level: str, text: str
) -> None:
    place = Place(tmp_path, saned=conf)
    if listens:
        place.write(WANTED)
    file = place.config / "saned.conf"
    assert place.one("service.access")[:2] == (level, text.format(file=file))
