"""pysane-share.toml: each key, and errors that name file, line and key."""

from __future__ import annotations

import re
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from sane.config import Environment
from sane.web import config
from tests import ROOT

HASH = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAA$AAAAAA"  # of nothing
EXAMPLE = ROOT / "etc" / "pysane-share.toml"


def read(folder: Path, text: str) -> config.ShareSettings:
    file = folder / "pysane-share.toml"
    file.write_text(text)
    return config.read(str(file))


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(config.ConfigError) as failed:
        read(folder, text)
    return [problem.replace(f"{folder}/", "") for problem in failed.value.problems]


def test_without_a_file_everything_has_its_default() -> None:
    settings = config.read("")
    assert (settings.server.port, settings.https.port) == (8090, 8443)
    assert settings.scanners.ignore == ("escl:.*", "airscan:.*", "net:.*")
    assert (settings.limits.connections, settings.limits.connections_per_address) == (256, 16)


def test_sections_and_entries_are_read(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        """
        [server]
        port = 80
        networks = ["192.168.0.0/24", "fd00::1"]
        names = ["Scan.Example.Org", "192.0.2.7"]
        [[scanner]]
        device = "epson.*"
        [scanner.options]
        lamp = true
        [[scanner]]
        device = "test:0"
        share = false
        """,
    )
    assert settings.server.networks == (ip_network("192.168.0.0/24"), ip_network("fd00::1/128"))
    assert settings.server.names == ("scan.example.org", "192.0.2.7")
    assert [each.device for each in settings.scanner] == ["epson.*", "test:0"]
    assert settings.scanner[0].options == {"lamp": True}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[server]\nport = 70000", "pysane-share.toml:2: server.port: 70000 is not a whole"),
        ("[server]\nport = true", "server.port: true is not a whole number from 0 to 65535"),
        ("\n[server]\nprot = 1", "pysane-share.toml:3: server.prot: there is no such key"),
        ("[srever]", "pysane-share.toml:1: srever: there is no such section; known: server"),
        ("server = 1", "server: write it as [server]"),
        ("user = [1, 2]", "pysane-share.toml:1: user: write it as [[user]]"),
        ("[[server]]\nport = 1", "pysane-share.toml:1: server: write it as [server]"),
        ("[server]\nport = " + "9" * 5000, "pysane-share.toml: Exceeds the limit"),
        ("[server]\nport = 0x" + "f" * 5000, ":2: server.port is a number of more than 64 bits"),
        ("[server]\nport = -9223372036854775809", ":2: server.port is a number of more than 64"),
        ("server = " + "[" * 5000, "pysane-share.toml: lists or tables are too deep"),
        (
            "[[scanner]]\ndevice = 'a'\n\noptions.x = [1, 1" + "0" * 400 + "]",
            ":4: scanner.0.options.x.1 is a number of more than 64 bits",
        ),
        ("[scanner]\ndevice = '.*'", "scanner: write [[scanner]], once for each"),
        ("[[scanner]]\ntitle = 'x'", "pysane-share.toml:1: scanner.device: is missing"),
        (
            "[[scanner]]\ndevice='a'\n[[scanner]]\ndevice='b('",
            "pysane-share.toml:4: scanner.device: 'b(' is no regular expression",
        ),
        ("[https]\ncertificate = 'a.pem'", "'a.pem' is not an absolute path"),
        ("[server]\nnetworks = ['192.168.0']", "is not a network as 192.168.0.0/24"),
        ("[server]\naddresses = ['host']", "'host' is not a numeric address"),
        ("[server]\nbase_url = 'ftp://x'", "is not an address as https://"),
        ("[limits]\nhead_seconds = 0", "0 is not a number from 0.1 to 3600"),
        ("[server]\nbase_url = 'http://[::1'", ":2: server.base_url: 'http://[::1' is not an addr"),
        ("[server]\nbase_url = 'http://[::g]'", ":2: server.base_url: "),
        ("[server]\nbase_url = 'http://a:b:c'", ":2: server.base_url: "),
        ("[server]\nbase_url = 'http://a:99999/x'", ":2: server.base_url: "),
        ("[server]\nbase_url = 'http://:80'", ":2: server.base_url: "),
        ("[https]\nkey = '/k.pem'", ":2: https.key: it belongs to https.certificate, which is mi"),
        ("[escl]\nversion = '3.0'", "'3.0' is none of '2.0', '2.63'"),
        ("[server]\nport = x", "pysane-share.toml:2: "),
        ("[scanners]\nignore = '.*'", "'.*' is not a list in [ ]"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    "url", ["", "http://[::1]", "https://[fd00::1]:8443/x", "http://scan", "https://a.b.example:1/"]
)
def test_a_base_url_is_taken(tmp_path: Path, url: str) -> None:
    settings = read(tmp_path, f"[server]\nbase_url = '{url}'")
    assert settings.server.base_url == url.rstrip("/")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "[server]\nport = -1\npage = 3\n[x]")) == 3


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="there is no file"):
        config.read(str(tmp_path / "none.toml"))


def test_it_is_found_among_sanes_files(tmp_path: Path) -> None:
    environment = Environment({"SANE_CONFIG_DIR": str(tmp_path)})
    assert config.find(environment) == ""
    (tmp_path / "pysane-share.toml").write_text("")
    assert config.find(environment) == str(tmp_path / "pysane-share.toml")


def test_the_example_names_every_key_with_its_default(tmp_path: Path) -> None:
    """Its keys are comments; with these marks taken away it is a file that changes nothing."""
    text = EXAMPLE.read_text()
    sections, _, entries = text.partition("# Entries")
    plain = re.sub(r"(?m)^#(?=[a-z_]+ = )", "", sections)
    file = tmp_path / "pysane-share.toml"
    file.write_text(plain)
    found = config.read(str(file))
    for name in config.SECTIONS:
        assert getattr(found, name) == getattr(config.ShareSettings(), name), name
    for name, kind in {**config.SECTIONS, **config.ENTRIES}.items():
        for item in fields(kind):
            assert re.search(rf"(?m)^#?{item.name} = |^#?\[{name}\.{item.name}\]", text), item.name
    entries = re.sub(r'(?m)^#password = "\$.*"', f'#password = "{HASH}"', entries)
    file.write_text(re.sub(r"(?m)^#(?=[a-z_]+ = |\[)", "", f"#{entries}"))
    found = config.read(str(file))
    for name in config.ENTRIES:
        assert getattr(found, name), name
