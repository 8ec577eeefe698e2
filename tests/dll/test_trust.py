"""Which places others could change: by owner, permissions, links and what is above."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sane.dll.trust import weak_place

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="peer absent: root, to give files away")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "a" / "b" / "file"
    found.parent.mkdir(parents=True)
    found.write_text("")
    return found


def test_what_is_ours_alone_has_no_weak_place(file: Path) -> None:
    assert weak_place(str(file)) is None
    assert weak_place(f"{file.parent}/../b//./file") is None


def test_what_is_missing_is_not_weak(file: Path) -> None:
    assert weak_place(str(file.parent / "missing" / "more")) is None


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o602])
def test_a_file_that_others_may_write_is_weak(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert weak_place(str(file)) == str(file)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o733])
def test_a_folder_above_that_others_may_write_is_weak(file: Path, mode: int) -> None:
    file.parent.parent.chmod(mode)
    assert weak_place(str(file)) == str(file.parent.parent)


def test_a_sticky_folder_is_safe_on_the_way_and_weak_at_the_end(file: Path) -> None:
    file.parent.chmod(0o1777)
    assert weak_place(str(file)) is None
    assert weak_place(str(file.parent)) == str(file.parent)


@NEEDS_ROOT
def test_roots_folder_for_a_group_that_it_trusts_is_safe_on_the_way(file: Path) -> None:
    folder = file.parent.parent
    folder.chmod(0o2775)
    assert weak_place(str(file)) is None
    assert weak_place(str(folder)) == str(folder)
    folder.chmod(0o2777)
    assert weak_place(str(file)) == str(folder)


@NEEDS_ROOT
@pytest.mark.parametrize("up", [0, 1, 2])
def test_what_belongs_to_another_user_is_weak(file: Path, up: int) -> None:
    place = [file, *file.parents][up]
    os.chown(place, 4242, -1)
    assert weak_place(str(file)) == str(place)


def test_links_are_followed_to_where_they_lead(file: Path, tmp_path: Path) -> None:
    (tmp_path / "relative").symlink_to("a/b")
    (tmp_path / "absolute").symlink_to(tmp_path / "relative")
    (file.parent / "up").symlink_to("../b/../b/file")
    for path in ("relative/file", "absolute/file", "absolute/up"):
        assert weak_place(str(tmp_path / path)) is None
    file.parent.chmod(0o777)
    for path in ("relative/file", "absolute/file", "absolute/up"):
        assert weak_place(str(tmp_path / path)) == str(file.parent)


@NEEDS_ROOT
def test_another_users_link_is_weak_wherever_it_leads(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    os.chown(link, 4242, -1, follow_symlinks=False)
    assert weak_place(str(link)) == str(link)


def test_links_in_a_ring_are_weak(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert weak_place(str(tmp_path / "one" / "x")) in {str(tmp_path / n) for n in ("one", "two")}
