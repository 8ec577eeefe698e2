"""Small files that are replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sane.wholefile import write_whole


@pytest.mark.parametrize("is_lasting", [False, True])
def test_a_file_is_replaced_and_nothing_stays_beside_it(tmp_path: Path, is_lasting: bool) -> None:
    file = tmp_path / "list"
    for data in (b"first, which is longer", b"second"):
        write_whole(str(file), data, is_lasting=is_lasting)
        assert file.read_bytes() == data
    assert file.stat().st_mode & 0o7777 == 0o600
    assert os.listdir(tmp_path) == ["list"]


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_whole(str(tmp_path / "certificate"), b"", mode=0o644)
    finally:
        os.umask(before)
    assert (tmp_path / "certificate").stat().st_mode & 0o7777 == 0o644


def test_what_a_dead_process_left_is_no_obstacle_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"of somebody else")
    (tmp_path / "list.part").symlink_to(tmp_path / "other")
    write_whole(str(tmp_path / "list"), b"new", ending=".part")
    assert (tmp_path / "list").read_bytes() == b"new"
    assert (tmp_path / "other").read_bytes() == b"of somebody else"
    assert not (tmp_path / "list.part").is_symlink()


def test_a_folder_that_is_open_is_written_to_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "then").mkdir()
    folder = os.open(tmp_path / "then", os.O_RDONLY | os.O_DIRECTORY)
    try:
        (tmp_path / "then").rename(tmp_path / "now")
        write_whole("list", b"new", folder=folder)
    finally:
        os.close(folder)
    assert os.listdir(tmp_path / "now") == ["list"]


def test_a_failure_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "list").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(str(tmp_path / "list"), b"new")
    assert os.listdir(tmp_path) == ["list"]
