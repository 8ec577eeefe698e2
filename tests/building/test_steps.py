"""Steps of a build: done when something they depend on has changed, and only then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from building.steps import Build, Failed, Step


class Tree:
    """A folder with sources and what was done of the steps on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ran: list[str] = []
        self.source = folder / "source"
        self.source.write_text("first")

    def copy(self, name: str, *inputs: Path, key: str = "") -> Step:
        """Return a step that copies the first input to *name*."""
        inputs = inputs or (self.source,)
        target = self.folder / name

        def copy() -> None:
            self.ran.append(name)
            target.write_text(inputs[0].read_text())

        return Step(target, inputs, function=copy, key=key)

    def build(self, *steps: Step, tools: str = "") -> list[str]:
        """Do the steps that are due, as a new process would; return their names."""
        self.ran.clear()
        build = Build(self.folder / "build", tools)
        with build.locked():
            build.run([step] for step in steps)
        return sorted(self.ran)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.chdir(tmp_path)
    return Tree(tmp_path)


def touch(path: Path) -> None:
    """Give the file another time; any difference counts, as after a checkout."""
    then = path.stat().st_mtime - 1
    os.utime(path, (then, then))


def test_a_step_is_done_once(tree: Tree) -> None:
    assert tree.build(tree.copy("a"), tree.copy("b")) == ["a", "b"]
    assert tree.build(tree.copy("a"), tree.copy("b")) == []


def write_same_time(tree: Tree) -> None:
    then = tree.source.stat().st_mtime
    tree.source.write_text("longer than before")
    os.utime(tree.source, (then, then))


def remove_target(tree: Tree) -> None:
    (tree.folder / "a").unlink()


@pytest.mark.parametrize(
    "change", [lambda tree: touch(tree.source), write_same_time, remove_target]
)
def test_a_step_is_done_again_when_its_files_changed(
    tree: Tree, change: Callable[[Tree], None]
) -> None:
    tree.build(tree.copy("a"))
    change(tree)
    assert tree.build(tree.copy("a")) == ["a"]
    assert tree.build(tree.copy("a")) == []


def test_another_step_is_left_alone(tree: Tree) -> None:
    other = tree.folder / "other"
    other.write_text("")
    tree.build(tree.copy("a"), tree.copy("b", other))
    touch(other)
    assert tree.build(tree.copy("a"), tree.copy("b", other)) == ["b"]


def test_a_step_is_done_again_when_an_input_appears(tree: Tree) -> None:
    absent = tree.folder / "absent"
    assert tree.build(tree.copy("a", tree.source, absent)) == ["a"]
    assert tree.build(tree.copy("a", tree.source, absent)) == []
    absent.write_text("")
    assert tree.build(tree.copy("a", tree.source, absent)) == ["a"]


def test_a_step_is_done_again_with_another_key_or_other_tools(tree: Tree) -> None:
    tree.build(tree.copy("a"))
    assert tree.build(tree.copy("a", key="-O3")) == ["a"]
    assert tree.build(tree.copy("a", key="-O3"), tools="gcc 13") == ["a"]
    assert tree.build(tree.copy("a", key="-O3"), tools="gcc 13") == []


def test_a_step_that_failed_is_not_remembered(tree: Tree) -> None:
    target = tree.folder / "a"

    def fail() -> Step:
        return Step(target, [tree.source], command=["sh", "-c", f"echo half > {target}; exit 3"])

    tree.build(tree.copy("a"))
    with pytest.raises(Failed, match="exit 3"):
        tree.build(fail())
    assert not target.exists()
    with pytest.raises(Failed):
        tree.build(fail())
    assert tree.build(tree.copy("a")) == ["a"]


def test_what_was_done_before_a_failure_is_kept(tree: Tree) -> None:
    job = [tree.copy("a"), Step(tree.folder / "b", [], command=["false"])]
    build = Build(tree.folder / "build", "")
    with pytest.raises(Failed), build.locked():
        build.run([job])
    assert tree.build(tree.copy("a")) == []


def test_a_program_that_is_absent_is_named(tree: Tree) -> None:
    with pytest.raises(Failed, match="no-such-compiler"):
        tree.build(Step(tree.folder / "a", [], command=["no-such-compiler", "a"]))


def test_files_that_a_compiler_reports_count(tree: Tree) -> None:
    header = tree.folder / "a.h"
    header.write_text("")
    report = tree.folder / "a.d"
    rule = r"a: \\\n source \\\n a.h /usr/include/x.h\n"
    line = f"echo done >> log; printf '{rule}' > {report}; cp source a"

    def step() -> Step:
        command = ["sh", "-c", line]
        return Step(tree.folder / "a", [tree.source], command=command, reported=report)

    def times() -> int:
        tree.build(step())
        return len((tree.folder / "log").read_text().split())

    assert (times(), times()) == (1, 1)
    touch(header)
    assert (times(), times()) == (2, 2)
    header.unlink()
    assert times() == 3


def test_an_input_that_is_written_meanwhile_counts_as_changed(tree: Tree) -> None:
    def copy() -> None:
        (tree.folder / "a").write_text("")
        touch(tree.source)

    tree.build(Step(tree.folder / "a", [tree.source], function=copy))
    assert tree.build(tree.copy("a")) == ["a"]


def test_what_is_no_longer_wanted_is_removed(tree: Tree) -> None:
    tree.build(tree.copy("a"), tree.copy("b"))
    build = Build(tree.folder / "build", "")
    with build.locked():
        build.forget({tree.folder / "a"})
    assert (tree.folder / "a").exists()
    assert not (tree.folder / "b").exists()
    assert tree.build(tree.copy("a"), tree.copy("b")) == ["b"]


def test_a_memory_that_cannot_be_read_builds_everything(tree: Tree) -> None:
    tree.build(tree.copy("a"))
    (tree.folder / "build" / "steps.json").write_text("{")
    assert tree.build(tree.copy("a")) == ["a"]
