"""What pysane-share.toml says about people, destinations, profiles and buttons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sane.web import accounts, config
from sane.web.config import ConfigError, DestinationSettings, ProfileSettings, ShareSettings
from tests.support.api import ApiServer
from tests.support.web import FakeScanner

INBOX = '[[destination]]\nname = "inbox"\nkind = "folder"\nsettings = { path = "/srv" }\n'
OPTIONS = '[[profile]]\nname = "a"\nsettings = {{ options = {} }}'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[[user]]\nname = "anna"\npassword = "secret"', 3),
        ('[[user]]\nname = ""\npassword = "$argon2"', 2),
        ('[[token]]\nname = "a"\nhash = "x"', 3),
        (f"{INBOX}\n{INBOX}", 7),
        (INBOX.replace('"folder"', '"mail"'), 4),
        (f"{INBOX}[[destination]]\nname = 'x'\nkind = 'folder'\n[destination.settings]\nmod=1", 9),
        ('[[profile]]\nname = "a"\n\ndestination = "b"', 4),
        ('[[profile]]\nname = "a"\n[profile.settings]\nmode = "red"', 4),
        ('[[profile]]\nname = "a"\n[profile.work]\ndeskew = 1', 4),
        ('[[profile]]\nname = "a"\n[profile.settings]\noptions = 3', 4),
        ('[[button]]\nbutton = "scan"\nprofile = "a"\ndestination = "b"', 4),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "pysane-share.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.read(str(path))
    assert caught.value.problems[0].startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[user]]\nname = "anna"\npassword = "secret"', "user.password of anna is no Argon2 hash"),
        ('[[token]]\nname = "a"\nhash = "x"', "token.hash of a is no SHA-256 in hexadecimal"),
        (INBOX + INBOX, "destination: the name 'inbox' is empty, or there twice"),
        (INBOX.replace("path", "folder"), "destination inbox: folder: there is no such key"),
        (INBOX.replace("folder", "mail"), "destination inbox: path: there is no such key"),
        ('[[profile]]\nname = "a"\ndestination = "b"', "a: there is no destination b"),
        ('[[profile]]\nname = "a"\nsettings = { mode = "red" }', "settings.mode is 'red'"),
        ('[[profile]]\nname = "a"\nwork = { deskew = 1 }', "work.deskew is 1, and not boolean"),
        (OPTIONS.format("3"), "profile a: settings.options: 3 is not a table"),
        (OPTIONS.format("{ x = [[1]] }"), "settings.options: x: [[1]] is no value that an option"),
        (OPTIONS.format("{ x = 1e400 }"), "settings.options: x: inf is no value that an option"),
        ("[[scanner]]\ndevice = 'a'\noptions = { x = nan }", "x: nan is no value that an option"),
        ('[[button]]\nbutton = "scan"\nprofile = "a"\ndestination = "b"', "no destination b"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "pysane-share.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.read(str(path))
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0] and str(path) in caught.value.problems[0]


def test_settings_that_are_read_again_count(tmp_path: Path) -> None:
    with ApiServer([FakeScanner()], state=tmp_path) as api:
        document = api.scanned(resolution=75, paper="card")
        path = f"/documents/{document['id']}/deliveries"
        assert api.ask("POST", path, {"destination": "inbox"}).status == 400
        inbox = DestinationSettings("inbox", "folder", "", {"path": str(tmp_path)})
        profile = ProfileSettings("letters", {"mode": "gray"})
        api.context.settings = ShareSettings(destination=(inbox,), profile=(profile,))
        assert api.ask("POST", path, {"destination": "inbox"}).status == 202
        assert [each["name"] for each in api.get("/profiles")["profiles"]] == ["letters"]


def test_who_is_no_user_any_more_is_out() -> None:
    users = [config.UserSettings("anna", "old"), config.UserSettings("ben", "x")]
    found = accounts.Accounts(users)
    anna, ben = found.begin("anna"), found.begin("ben")
    found.adopt([replace(users[0], password="new"), users[1]], [])
    assert found.user_of(anna) is None and found.user_of(ben) == "ben"
    found.adopt([], [])
    assert found.user_of(ben) is None
