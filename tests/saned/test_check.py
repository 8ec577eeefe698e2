"""saned --check: what would be shared, to whom, and what is wrong, in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ports import PORT, loopback_address
from tests.support.saned import Saned, configure
from tests.support.saned_starts import run


def check(config: Path, *arguments: str) -> tuple[int, str]:
    done = run(config, "--check", "-b", "127.0.0.1", "-p", "0", *arguments)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_check_tells_of_other_servers_with_the_network_allowed(tmp_path: Path) -> None:
    address = loopback_address()
    with Saned(configure(tmp_path / "far"), address=address, port=PORT):
        config = configure(tmp_path / "near", "net\n", net_conf=f"{address}\n")
        assert f"  net:{address}:test:0: Noname" in check(config, "-n")[1]
        assert f"net:{address}" not in check(config)[1]


def test_check_of_a_good_configuration_finds_no_problem(tmp_path: Path) -> None:
    config = configure(
        tmp_path,
        saned_conf=(
            "# us\n192.168.0.0/24\n[2001:db8::]/32\n10.0.0.7\n+\n"
            "data_portrange = 10000 - 10100\nmax_clients = 5\n"
        ),
        saned_users="joe:secret:test\nann:x:test\nbob:y:other\n",
    )
    (config / "saned.users").chmod(0o600)
    status, text = check(config)
    assert status == 0, text
    for expected in (
        f"Configuration: {config}/saned.conf",
        "test:0: Noname frontend-tester, virtual device",
        "programs on this machine",
        f"the addresses 192.168.0.0 to 192.168.0.255 ({config}/saned.conf:2)",
        "the addresses 2001:db8:: to 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "the host 10.0.0.7",
        "EVERYBODY who can reach this machine",
        "backend test: 2 users may open its scanners",
        "backend other: one user may",
        "port any of 127.0.0.1",
        "the ports 10000 to 10100; a firewall must let clients connect",
        "at most 5 clients, 32 of one host",
        "Problems\n  none",
    ):
        assert expected in text, expected
    assert "secret" not in text


def test_check_without_a_configuration_says_who_may_connect(tmp_path: Path) -> None:
    status, text = check(configure(tmp_path))
    assert status == 0
    assert "no saned.conf" in text
    assert "nobody else: saned.conf names no host" in text
    assert "none: whoever may connect may use every shared scanner" in text


PROBLEMS = (
    ({"saned_conf": "192.168.1.*\n"}, "saned.conf:1: 192.168.1.*: there are no patterns"),
    ({"saned_conf": "portrange = 1-2\n"}, "saned.conf:1: unknown setting 'portrange'"),
    ({"saned_conf": "\ndata_portrange = 2-1\n"}, "saned.conf:2: data_portrange: the first port"),
    ({"saned_users": "joe:secret\n"}, "saned.users:1: not USER:PASSWORD:BACKEND"),
    ({"saned_users": "joe:secret:test\n"}, "holds passwords, and everybody may read it"),
    ({"dll": "# nothing\n"}, "no scanner was found; backends enabled in dll.conf: none"),
)


@pytest.mark.parametrize(("files", "problem"), PROBLEMS, ids=[p[1][:30] for p in PROBLEMS])
def test_check_names_what_is_wrong(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    config = configure(tmp_path, **files)
    if (config / "saned.users").exists():
        (config / "saned.users").chmod(0o644)
    status, text = check(config)
    assert status == 1
    assert problem in text.partition("\nProblems\n")[2]


def test_check_of_users_that_cannot_be_read(tmp_path: Path) -> None:
    config = configure(tmp_path)
    (config / "saned.users").symlink_to("saned.users")
    status, text = check(config)
    assert status == 1
    assert "cannot be read: no device can be opened" in text


def test_check_of_a_wrong_command_line(tmp_path: Path) -> None:
    status, text = check(configure(tmp_path), "-u", "no-such-user", "stray")
    assert status == 1
    assert "there is no user no-such-user" in text
    assert "the word 'stray' belongs to no option" in text


def test_check_says_what_is_not_shared(tmp_path: Path) -> None:
    status, text = check(configure(tmp_path, "test\npnm\n"))
    assert status == 0
    assert "not shared: pnm:0: backend pnm reads files of this machine (share_files)" in text
    assert "test:1: Noname" in text
