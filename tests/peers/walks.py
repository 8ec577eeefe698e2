"""Random walks through the SANE API: runs one on two libraries and compares the traces.

walker.c performs the calls of a walk, one line each; the generators write walks whose outcome the
specification determines, so that every differing line is a difference of behaviour.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests import cc
from tests.peers.frontends import ATTEMPTS
from tests.peers.walk_conf import without_wrong_texts
from tests.peers.walk_pnm import generate_pnm_walk, write_images
from tests.peers.walk_testdev import generate_test_walk
from tests.peers.walk_values import Walk, decode, encode
from tests.support.distribution import sane_version

__all__ = [
    "Side",
    "Walk",
    "build_walker",
    "check_walk",
    "check_walks",
    "compare",
    "generate_pnm_walk",
    "generate_test_walk",
    "our_library",
    "run_walk",
    "their_library",
    "walk_count",
    "write_images",
]

DISPATCHED = "test:"  # what the dispatcher puts before the names of the devices
TIMEOUT = 120.0  # of a whole walk; walker.c allows 20 s for one call
CONF = "conf test.conf "
CONTEXT = 25  # commands shown before the first difference
SHOWN = 400  # characters of a line
ENDED = "(the program ended with"
ENOUGH = 5  # differing walks, after which no more are run


class Side(NamedTuple):
    """A library, what its 13 functions' names begin with, and what pysane.conf says.

    is_original: the scanner is the distribution's backend.
    """

    library: Path
    prefix: str
    choice: str = ""
    is_original: bool = False

    def commands(self, walk: Walk) -> list[str]:
        """Return what the program gets to read.

        Originals before 1.3.1 obey texts of test.conf that later ones and we ignore.
        """
        if not self.is_original or sane_version() >= (1, 3, 1):
            return walk.commands
        return [
            f"{CONF}{encode(without_wrong_texts(decode(command.removeprefix(CONF))))}"
            if command.startswith(CONF)
            else command
            for command in walk.commands
        ]


def walk_count(default: int = 60) -> int:
    """Return how many walks a test runs: SANE_WALKS, or *default*."""
    return int(os.environ.get("SANE_WALKS", default))


def build_walker(folder: Path) -> Path:
    """Compile walker.c into *folder* and return the program."""
    flags = ("-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-I{cc.INCLUDE}", "-ldl")
    return cc.compile_program(Path(__file__).with_name("walker.c"), folder / "walker", *flags)


def their_library(name: str = "") -> Side:
    """Return the distribution's backend *name*, or its libsane; skip the test without it."""
    libsane = cc.distribution_libsane()
    lib = libsane.parent.resolve()
    side = _side(lib / libsane.name, lib / "sane", name, "peer absent: libsane1")
    return side._replace(is_original=True)


def our_library(name: str = "") -> Side:
    """Return our backend *name*, or our libsane, under SANE_TEST_PREFIX; skip without it."""
    lib = Path(os.environ.get("SANE_TEST_PREFIX", cc.ROOT / "build" / "prefix")) / "lib"
    return _side(lib / "libsane.so.1", lib / "sane", name, f"not built: {lib}")


def _side(libsane: Path, backends: Path, name: str, absent: str) -> Side:
    if name:
        side = Side(backends / f"libsane-{name}.so.1", f"sane_{name}_")
    else:
        side = Side(libsane, "sane_")
    if not side.library.exists():
        pytest.skip(absent)
    return side


def run_walk(
    walker: Path,
    side: Side,
    walk: Walk,
    folder: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    dll: str = "test\n",
) -> list[str]:
    """Run *walk* on one library, with its configuration in *folder*; return a line per command.

    environment: what the program gets besides, as of an emulated bus.

    A walk that ends early (crash, hang) has a last line that says how.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dll.conf").write_text(dll)
    (folder / "pysane.conf").write_text(side.choice)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_LIBRARY"))}
    trace = folder / "trace"
    with trace.open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        try:
            end: object = subprocess.run(
                [walker, side.library, side.prefix],
                input="\n".join(side.commands(walk)).encode() + b"\n",
                stdout=stdout,
                stderr=stderr,
                env={**env, "SANE_CONFIG_DIR": str(folder), **environment},
                cwd=folder,
                timeout=TIMEOUT,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            end = "a timeout"
    lines = trace.read_text("latin-1").splitlines()
    if end != 0:
        lines.append(f"{ENDED} {end})")
    return lines


def compare(commands: list[str], ours: list[str], theirs: list[str]) -> str:
    """Return the first difference of two traces with the commands before it, "" if none."""
    count = max(len(ours), len(theirs))
    ours, theirs = (side + ["(nothing)"] * (count - len(side)) for side in (ours, theirs))
    differing = [i for i in range(count) if ours[i] != theirs[i]]
    if not differing:
        return ""
    first = differing[0]
    report = [f"{len(differing)} of {count} lines differ, the first after:"]
    for i in range(max(0, first - CONTEXT), first):
        report.append(f"{i + 1:4} {commands[i][:SHOWN]:32}  ->  {theirs[i][:SHOWN]}")
    command = commands[first] if first < len(commands) else "(end)"
    report.append(f"{first + 1:4} {command}")
    report += [f"     ours:   {ours[first]}", f"     theirs: {theirs[first]}"]
    return "\n".join(report)


def check_walk(walker: Path, ours: Side, theirs: Side, walk: Walk, folder: Path) -> str:
    """Run *walk* on both libraries at once; return the report of compare, "" if they agree.

    What is needed to replay a difference by hand stays in *folder*. The original's test backend at
    times loses a race with its own thread at the end of a scan, and hangs or gets SIGPIPE: it may
    try again.
    """
    traces: dict[str, list[str]] = {}

    def run(name: str, side: Side) -> None:
        for _ in range(ATTEMPTS if side.is_original else 1):
            traces[name] = run_walk(walker, side, walk, folder / name)
            if not traces[name][-1].startswith(ENDED):
                break

    other = threading.Thread(target=run, args=("theirs", theirs))
    other.start()
    try:
        run("ours", ours)
    finally:
        other.join()
    report = compare(walk.commands, traces["ours"], traces["theirs"])
    if not report and not traces["theirs"][-1].startswith(ENDED):
        return ""
    report = report or f"neither library survives command {len(traces['theirs'])}"
    commands = folder / "commands"
    commands.write_text("\n".join(walk.commands) + "\n")
    replay = f"SANE_CONFIG_DIR={folder / 'ours'} {walker} {ours.library} {ours.prefix} < {commands}"
    return f"seed {walk.seed}: {report}\nreplay: {replay}"


def check_walks(walker: Path, ours: Side, theirs: Side, walks: Iterable[Walk], folder: Path) -> str:
    """Run *walks* on both libraries; return the reports of those that differ, "" if none does."""
    reports: list[str] = []
    for walk in walks:
        place = folder / f"seed-{walk.seed}"
        report = check_walk(walker, ours, theirs, walk, place)
        if not report:
            shutil.rmtree(place)
            continue
        reports.append(report)
        if len(reports) == ENOUGH:
            break
    return "\n\n".join(reports)
