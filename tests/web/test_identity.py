"""Who a scanner is: the same UUID and title whatever port and number it has."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from sane.web import identity
from sane.web.identity import Found, Register


def scanner(name: str, serial: str = "", model: str = "GT-1500", vendor: str = "Epson") -> Found:
    return Found(name, vendor, model, "flatbed scanner", serial=serial)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scanners.json"


def test_equal_scanners_are_told_apart_by_serial_number(file: Path) -> None:
    one, two = scanner("epson2:libusb:001:004", "A"), scanner("epson2:libusb:001:005", "B")
    first = Register(file).identities([two, one])
    assert first[one.name][1] == "Epson GT-1500"
    assert first[two.name][1] == "Epson GT-1500 (2)"
    moved = [scanner("epson2:libusb:002:009", "A"), scanner("epson2:libusb:002:008", "B")]
    second = Register(file).identities(moved)
    assert [second[each.name] for each in moved] == [first[one.name], first[two.name]]


def test_the_second_keeps_its_number_while_the_first_is_unplugged(file: Path) -> None:
    one, two = scanner("a:1", "A"), scanner("a:2", "B")
    before = Register(file).identities([one, two])
    assert Register(file).identities([two]) == {two.name: before[two.name]}
    assert Register(file).identities([one, two]) == before


def test_without_serial_number_a_moved_scanner_takes_the_free_number(file: Path) -> None:
    before = Register(file).identities([scanner("a:1")])["a:1"]
    assert Register(file).identities([scanner("a:7")])["a:7"] == before


def test_equal_serial_numbers_still_give_two_scanners(file: Path) -> None:
    found = Register(file).identities([scanner("a:1", "0"), scanner("a:2", "0")])
    assert len({id for id, _ in found.values()}) == 2


def test_ids_are_uuids_and_differ_by_machine(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []
    for machine in ("1" * 32, "2" * 32):
        monkeypatch.setattr(identity, "machine_id", lambda own=machine: own)
        ids.append(Register(tmp_path / machine).identities([scanner("a:1")])["a:1"][0])
    assert ids[0] != ids[1]
    assert uuid.UUID(ids[0]).version == 5


def test_a_machine_without_id_gets_one_that_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "machine_id", str)
    before = Register(file).identities([scanner("a:1")])
    assert Register(file).identities([scanner("a:1")]) == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"known": 3}', '{"known": {"a": [1]}}'])
def test_a_file_that_cannot_be_read_begins_anew(file: Path, text: str) -> None:
    file.write_text(text)
    found = Register(file).identities([scanner("a:1")])
    assert found["a:1"][1] == "Epson GT-1500"


def test_titles_are_unique_and_printable(file: Path) -> None:
    odd = scanner("b:1", model="GT\x1b-1500")
    found = Register(file).identities([scanner("a:1"), scanner("c:1", vendor="epson"), odd])
    titles = [title for _, title in found.values()]
    assert len(set(titles)) == 3
    assert all(title.isprintable() for title in titles)
