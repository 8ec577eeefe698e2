"""The steps of a build: each is done again only when something that it depends on has changed.

A step that succeeded is remembered in <folder>/steps.json with what made it (the command, and the
versions of the tools) and the state of every file that it read: those that it names, and those
that the compiler reports in a dependency file. A step that failed is forgotten with what it made.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class Failed(Exception):
    """A step could not be done; the text is for the user."""


class Step:
    """Makes the file *target* by *command*, or by a *function* that is known by *key*.

    inputs: what it reads; one that is missing now and appears later makes it run again.
    reported: a dependency file in make's format, which the command writes.
    """

    def __init__(
        self,
        target: Path,
        inputs: Iterable[Path],
        *,
        command: Sequence[object] = (),
        function: Callable[[], None] | None = None,
        key: object = "",
        reported: Path | None = None,
    ) -> None:
        self.target = target
        self.inputs = [str(path) for path in inputs]
        self.command = [str(part) for part in command]
        self.function = function
        self.key = f"{shlex.join(self.command)}{key}"
        self.reported = reported

    def do(self) -> None:
        """Make the target; raises Failed with the command and what it said."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if self.function is not None:
            self.function()
            return
        try:
            done = subprocess.run(
                self.command,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as exc:
            raise Failed(f"cannot run {self.command[0]}: {exc.strerror}") from exc
        if done.returncode:
            raise Failed(f"{done.stdout}failed: {shlex.join(self.command)}")
        if done.stdout:
            print(done.stdout, end="", flush=True)  # a compiler's warning

    def read(self) -> list[str]:
        """Return what the step has read: its inputs, and of those reported the tree's own."""
        found = dict.fromkeys(self.inputs)
        if self.reported is not None:
            text = self.reported.read_text(encoding="utf-8").replace("\\\n", " ")
            paths = text.partition(": ")[2].split()
            found.update(dict.fromkeys(os.path.relpath(path) for path in paths if is_ours(path)))
        return list(found)


def is_ours(path: str) -> bool:
    """Tell whether a file belongs to this tree, not to the system or to an environment in it."""
    place = os.path.abspath(path)
    return place.startswith(f"{os.getcwd()}/") and not place.startswith(f"{sys.prefix}/")


def state(path: str) -> list[int] | None:
    """Return what changes when the file *path* is written, None while there is none."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [found.st_mtime_ns, found.st_size]


class Build:
    """The steps that were done in *folder*; *tools* is the key of all: versions of the tools."""

    def __init__(self, folder: Path, tools: str) -> None:
        self.folder = folder
        self.tools = tools
        self.done = 0  # steps that had to be done
        self._file = folder / "steps.json"
        self._known: dict[str, tuple[str, dict[str, list[int] | None]]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Work with what is remembered, one build at a time; remember also when a step fails."""
        with open(self.folder / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                self._known = json.loads(self._file.read_text(encoding="utf-8"))
            except (FileNotFoundError, ValueError):
                self._known = {}
            try:
                yield
            finally:
                fresh = self._file.with_suffix(".new")
                fresh.write_text(json.dumps(self._known, indent=0), encoding="utf-8")
                fresh.replace(self._file)

    def run(self, jobs: Iterable[Sequence[Step]]) -> None:
        """Do the jobs, each a sequence of steps, on all processors; raises the first failure.

        The longest begin: these have the largest first input.
        """
        ordered = sorted(jobs, key=lambda job: _size(job[0]), reverse=True)
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            futures = [pool.submit(self._job, job) for job in ordered]
            try:
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _job(self, job: Sequence[Step]) -> None:
        for step in job:
            if not self._is_done(step):
                self._do(step)

    def _is_done(self, step: Step) -> bool:
        key, read = self._known.get(str(step.target), ("", {}))
        return (
            key == self.tools + step.key
            and os.path.lexists(step.target)
            and all(path in read for path in step.inputs)
            and all(state(path) == then for path, then in read.items())
        )

    def _do(self, step: Step) -> None:
        name = str(step.target)
        self._known.pop(name, None)
        started = time.time_ns()
        before = {path: state(path) for path in step.inputs}
        try:
            step.do()
        except BaseException:
            step.target.unlink(missing_ok=True)
            raise
        read = {path: before.get(path) or _unless_newer(path, started) for path in step.read()}
        self._known[name] = (self.tools + step.key, read)
        self.done += 1

    def forget(self, kept: set[Path]) -> None:
        """Remove what earlier builds made in the folder and this one does not."""
        for name in [name for name in self._known if Path(name) not in kept]:
            del self._known[name]
            Path(name).unlink(missing_ok=True)


def _unless_newer(path: str, started: int) -> list[int] | None:
    """Return the state of a file, None when it was written while it was read."""
    found = state(path)
    return None if found is None or found[0] >= started else found


def _size(step: Step) -> int:
    return sum((state(path) or [0, 0])[1] for path in step.inputs[:1])
