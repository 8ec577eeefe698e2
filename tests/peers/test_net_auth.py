"""Passwords through scanimage and our net backend, on the distribution's saned and on ours.

saned.users protects the backend test; ~/.sane/pass, the prompt and --accept-md5-only answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.frontends import Outcome, Scanimage
from tests.peers.original_saned import PORT, OriginalSaned
from tests.support.ports import loopback_address
from tests.support.remote_scans import PATTERN
from tests.support.saned import Saned, configure

USER, PASSWORD = "joe", "se cret"
SCAN = ("--format=pnm", PATTERN)


class Protected:
    """scanimage for a server that wants a password, with a home folder of its own."""

    def __init__(self, folder: Path, host: str) -> None:
        self.host = host
        self.home = folder / "home"
        (self.home / ".sane").mkdir(parents=True)
        config = configure(folder / "client", "net\n", net_conf=f"{host}\n")
        self.scanimage = Scanimage(folder / "run", config)

    def remember(self, user: str, password: str) -> None:
        """Write ~/.sane/pass, as scanimage wants it."""
        path = self.home / ".sane" / "pass"
        path.write_text(f"{user}:{password}:net:{self.host}:test\n")
        path.chmod(0o600)

    def forget(self) -> None:
        (self.home / ".sane" / "pass").unlink(missing_ok=True)

    def scan(self, *arguments: str, stdin: str = "") -> Outcome:
        return self.scanimage.ours(
            "-d",
            f"net:{self.host}:test:0",
            *SCAN,
            *arguments,
            stdin=stdin.encode(),
            environ={"HOME": str(self.home)},
        )


@pytest.fixture(scope="module", params=["theirs", "ours"])
def protected(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Protected]:
    folder = tmp_path_factory.mktemp("auth")
    config = configure(folder / "server", saned_users=f"{USER}:{PASSWORD}:test\nx:y:pnm\n")
    address = loopback_address()
    server: OriginalSaned | Saned
    if request.param == "theirs":
        server = OriginalSaned(config, address=address)
    else:
        server = Saned(config, address=address, port=PORT)
    with server:
        yield Protected(folder, address)


@pytest.mark.parametrize("arguments", [(), ("--accept-md5-only",)])
def test_net_auth_the_password_file_opens_the_device(
    protected: Protected, arguments: tuple[str, ...]
) -> None:
    protected.remember(USER, PASSWORD)
    done = protected.scan(*arguments)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith(b"P5\n")


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("jim", PASSWORD), (USER, "")])
def test_net_auth_a_wrong_password_is_denied(
    protected: Protected, user: str, password: str
) -> None:
    protected.remember(user, password)
    done = protected.scan()
    assert done.status != 0
    assert "Access to resource has been denied" in done.stderr


def test_net_auth_the_prompt_names_host_and_backend(protected: Protected) -> None:
    protected.forget()
    done = protected.scan(stdin=f"{USER}\n{PASSWORD}\n")
    assert f"net:{protected.host}:test" in done.stderr + done.stdout.decode("latin-1")
    assert done.status == 0


def test_net_auth_no_answer_is_denied(protected: Protected) -> None:
    protected.forget()
    done = protected.scan()
    assert done.status != 0
    assert "Access to resource has been denied" in done.stderr


def test_net_auth_listing_needs_no_password(protected: Protected) -> None:
    listed = protected.scanimage.ours("-f", "%d%n").stdout.decode()
    assert listed == "".join(f"net:{protected.host}:test:{n}\n" for n in (0, 1))
