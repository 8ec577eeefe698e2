"""Our backend `test` against the distribution's, alone and below the dispatchers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import walks
from tests.peers.walk_conf import without_wrong_texts
from tests.peers.walks import DISPATCHED


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walks.build_walker(tmp_path_factory.mktemp("walker"))


def _walks(count: int, names: str = "") -> Iterator[walks.Walk]:
    return (walks.generate_test_walk(seed, names) for seed in range(count))


def test_walks_test_backend_answers_like_the_original(walker: Path, tmp_path: Path) -> None:
    ours, theirs = walks.our_library("test"), walks.their_library("test")
    report = walks.check_walks(walker, ours, theirs, _walks(walks.walk_count()), tmp_path)
    assert not report, report


def test_walks_dispatcher_answers_like_the_original(walker: Path, tmp_path: Path) -> None:
    ours, theirs = walks.our_library(), walks.their_library()
    chosen = _walks(walks.walk_count(), DISPATCHED)
    report = walks.check_walks(walker, ours, theirs, chosen, tmp_path)
    assert not report, report


@pytest.mark.parametrize(("name", "names"), [("test", ""), ("", DISPATCHED)])
def test_walks_original_always_answers_the_same(
    walker: Path, tmp_path: Path, name: str, names: str
) -> None:
    """A walk whose outcome is chance would be no evidence against us."""
    side = walks.their_library(name)
    assert not walks.check_walks(walker, side, side, _walks(5, names), tmp_path)


@pytest.mark.parametrize("names", ["", DISPATCHED])
def test_walks_depend_on_the_seed_only(names: str) -> None:
    walk = walks.generate_test_walk(3, names)
    assert walk == walks.generate_test_walk(3, names)
    assert walk.commands != walks.generate_test_walk(4, names).commands


DROPPED = [
    ("mode gray\n", ""),
    ("mode Gray\n", "mode Gray\n"),
    (' mode "Gray " x\r\nmode Color\n', "mode Color\n"),
    ('mode "gray\nmode\nmode ""\n', 'mode "gray\nmode\nmode ""\n'),
    ('test-picture "Solid white"\ntest-picture Stripes\n', 'test-picture "Solid white"\n'),
    ("mode #\n# mode x\n\ndepth x\n", "# mode x\n\ndepth x\n"),
    ("scan-source Elsewhere\nread-status-code EOF\nthree-pass-order rgb", ""),
]


@pytest.mark.parametrize(("config", "left"), DROPPED)
def test_walks_leave_out_what_older_originals_take(config: str, left: str) -> None:
    assert without_wrong_texts(config) == left


COMPARED: list[tuple[list[str], list[str], str]] = [
    (["GOOD", "EOF"], ["GOOD", "EOF"], ""),
    (["GOOD", "INVAL"], ["GOOD", "EOF"], "ours:   INVAL\n     theirs: EOF"),
    (["GOOD"], ["GOOD", "EOF"], "ours:   (nothing)\n     theirs: EOF"),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), COMPARED)
def test_walks_compare_shows_the_first_difference(
    ours: list[str], theirs: list[str], expected: str
) -> None:
    report = walks.compare(["start 0", "readn 0 9"], ours, theirs)
    assert report.endswith(expected) and bool(report) == bool(expected)


def test_walks_program_prints_a_line_per_command(walker: Path, tmp_path: Path) -> None:
    commands = [
        "conf test.conf resolution%2010",
        "init",
        "open 0 %",
        "desc 0 0",
        "get 0 0 4 w",
        "start 0",
        "readall 0 9 99",
        "exit",
    ]
    walk = walks.Walk(0, commands)
    trace = walks.run_walk(walker, walks.their_library("test"), walk, tmp_path)
    expected = ["done", "GOOD", "GOOD", '""', "GOOD", "GOOD", "CAP", "done"]
    assert [line.split()[0] for line in trace] == expected
