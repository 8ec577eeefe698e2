"""Rows about the program pysane: how soon it answers, in CPU time from spawn to exit."""

from __future__ import annotations

import os
import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import TYPE_CHECKING

from .measure import MISSED
from .report import Section
from .setting import STAGE, TIMEOUT_SECONDS, BenchError

if TYPE_CHECKING:
    from .setting import Bench

HELP_MS = 60  # more than import sane
LIST_MS = 100
FAULTS = 1  # what pysane doctor ends with where something is wrong with this machine
PYSANE = ("-m", "sane.cli.pysane")


def cpu_ms(words: tuple[str, ...], variables: dict[str, str]) -> float:
    """Return the milliseconds of CPU time that one Python with *words* takes."""
    before = getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(STAGE / "lib" / "pysane"), **variables},
        cwd=variables["SANE_CONFIG_DIR"],  # python -m looks there first
        stdout=subprocess.DEVNULL,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode not in (0, FAULTS):
        raise BenchError(f"{' '.join(words)} ends with status {done.returncode}")
    after = getrusage(RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def measure_cli(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure what is felt at a prompt, in alternating rounds."""
    folder = bench.folder / "cli"
    folder.mkdir(exist_ok=True)
    (folder / "dll.conf").write_text("test\n")
    (folder / "pysane.conf").write_text("list-cache 300\n")
    variables = {"SANE_CONFIG_DIR": str(folder), "XDG_CACHE_HOME": str(folder)}
    programs: dict[str, tuple[str, ...]] = {
        "python3 -c pass": ("-c", "pass"),
        "import sane": ("-c", "import sane"),
        "pysane --help": (*PYSANE, "--help"),
        "pysane scan --help": (*PYSANE, "scan", "--help"),
        "pysane list, kept": (*PYSANE, "list"),
        "pysane doctor": (*PYSANE, "doctor"),
    }
    cpu_ms(programs["pysane list, kept"], variables)  # it is kept from now on
    samples: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, words in programs.items():
            samples[name].append(cpu_ms(words, variables))
    used = {name: median(values) for name, values in samples.items()}
    section = Section(
        "pysane at the prompt",
        f"CPU time of a whole process. {rounds} rounds.",
        ("", "ms", "beside import sane", "goal", ""),
    )
    base = used["import sane"]
    goals = {"pysane --help": base + HELP_MS, "pysane list, kept": LIST_MS}
    texts = {"pysane --help": f"import sane + {HELP_MS} ms", "pysane list, kept": f"< {LIST_MS} ms"}
    for name, value in used.items():
        goal = goals.get(name)
        verdict = "" if goal is None else "met" if value <= goal else MISSED
        ratio = f"{value / base:.1f}x" if base else "-"
        section.add(name, f"{value:.0f}", ratio, texts.get(name, ""), verdict)
    return section
