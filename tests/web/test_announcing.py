"""What is announced is kept, changed and taken back; a program stands for Avahi's publisher."""

from __future__ import annotations

import logging
import re
import signal
from pathlib import Path

import pytest

from sane.discovery.announce import Announcement
from sane.web.announcing import TYPES, Announcer
from tests.support.share import Share, configure, eventually, needs_web

PUBLISHER = """#!/bin/sh
trap 'echo "gone $2" >> {log}; exit 0' TERM
echo "$@" >> {log}
while :; do sleep 0.05; done
"""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which the publisher writes what it was told."""
    log = tmp_path / "published"
    log.touch()
    program = tmp_path / "bin" / "avahi-publish"
    program.parent.mkdir()
    program.write_text(PUBLISHER.format(log=log))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return log


def test_announcements_are_kept_changed_and_taken_back(published: Path) -> None:
    announcer = Announcer(logging.getLogger("pysane.test"))
    one = Announcement("One", TYPES["http"], 8090, {"txtvers": "1", "rs": "eSCL"})
    two = Announcement("Two", TYPES["https"], 8443, {"rs": "x"})
    announcer.keep({("a", "http"): one, ("b", "https"): two})
    assert eventually(lambda: published.read_text().count("\n") == 2)
    assert "-s One _uscan._tcp 8090 txtvers=1 rs=eSCL\n" in published.read_text()
    announcer.keep({("a", "http"): one, ("b", "https"): two})
    moved = Announcement("Two", TYPES["https"], 8444, {"rs": "x"})
    announcer.keep({("a", "http"): one, ("b", "https"): moved})
    assert eventually(lambda: "gone Two" in published.read_text())
    assert eventually(lambda: "-s Two _uscans._tcp 8444 rs=x\n" in published.read_text())
    announcer.close()
    text = published.read_text()
    assert (text.count("gone One"), text.count("gone Two")) == (1, 2)


def test_the_server_announces_each_scanner_for_both_schemes(
    published: Path, tmp_path: Path
) -> None:
    needs_web()
    config = configure(tmp_path / "sane.d", "[https]\nport = 0\n")
    path = f"{published.parent / 'bin'}:/usr/bin:/bin"
    with Share(config, tmp_path / "state", "--announce", PATH=path) as share:
        assert eventually(lambda: published.read_text().count("\n") == 4)
        text = published.read_text()
        for title in ("Noname frontend-tester", "Noname frontend-tester (2)"):
            assert f"-s {title} _uscan._tcp {share.port} txtvers=1 " in text
            assert f"-s {title} _uscans._tcp {share.https_port} txtvers=1 " in text
        ids = set(re.findall(r"uuid=([0-9a-f-]{36})", text))
        assert len(ids) == 2
        assert re.search(r"_uscan\._tcp \d+ .* rs=eSCL ", text)
    assert published.read_text().count("gone ") == 4


def test_a_server_that_is_to_announce_nothing_any_more_takes_it_back(
    published: Path, tmp_path: Path
) -> None:
    needs_web()
    settings = "[https]\nport = 0\n"
    config = configure(tmp_path / "sane.d", settings)
    path = f"{published.parent / 'bin'}:/usr/bin:/bin"
    with Share(config, tmp_path / "state", announces=True, PATH=path) as share:
        assert eventually(lambda: published.read_text().count("\n") == 4)
        (config / "pysane-share.toml").write_text(f"{settings}[server]\nannounce = false\n")
        share.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: published.read_text().count("gone ") == 4)
