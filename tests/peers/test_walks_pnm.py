"""Our backend `pnm` against the distribution's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import walks


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walks.build_walker(tmp_path_factory.mktemp("walker"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    walks.write_images(folder)
    return folder


def _walks(count: int, images: Path) -> Iterator[walks.Walk]:
    return (walks.generate_pnm_walk(seed, images) for seed in range(count))


def test_walks_pnm_backend_answers_like_the_original(
    walker: Path, images: Path, tmp_path: Path
) -> None:
    ours, theirs = walks.our_library("pnm"), walks.their_library("pnm")
    report = walks.check_walks(walker, ours, theirs, _walks(walks.walk_count(30), images), tmp_path)
    assert not report, report


def test_walks_pnm_original_always_answers_the_same(
    walker: Path, images: Path, tmp_path: Path
) -> None:
    side = walks.their_library("pnm")
    assert not walks.check_walks(walker, side, side, _walks(5, images), tmp_path)


def test_walks_pnm_depend_on_the_seed_only(images: Path) -> None:
    walk = walks.generate_pnm_walk(3, images)
    assert walk == walks.generate_pnm_walk(3, images)
