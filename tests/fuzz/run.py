"""python -m tests.fuzz.run [SECONDS [TARGET [FILE...]]]: coverage-guided fuzzing with atheris.

Each target is a module here with a function check(data), which raises for a fault, and has its
corpus in corpus/TARGET. All are fuzzed for SECONDS each, two at a time, or one of them. What is
found goes to build/fuzz/TARGET: inputs that reach new code, and crash-* for faults, which are
replayed by naming them: python -m tests.fuzz.run 0 TARGET FILE. python -m tests.fuzz.run seeds
writes the corpora anew. SANE_TEST_TREE names the tree, as for the tests; jpeg wants a compiled one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.fuzz.garbage import try_garbage

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BLIND = ("abi", "jpeg")  # compiled, or in another process: no coverage guides the way
COMPILED = ROOT / "build" / "prefix" / "lib" / "pysane"
TARGETS = sorted(path.name for path in (HERE / "corpus").iterdir())
LONGEST = 4096  # bytes of an input
AT_ONCE = 2
SECONDS = 20


def fuzz(target: str, seconds: int, files: list[str]) -> None:
    """Fuzz one target in this process, which ends with it."""
    sys.path[:0] = [os.environ.get("SANE_TEST_TREE") or str(ROOT), str(ROOT)]
    found = ROOT / "build" / "fuzz" / target
    found.mkdir(parents=True, exist_ok=True)
    if target in BLIND:
        check = import_module(f"tests.fuzz.{target}").check
        for file in files:
            check(Path(file).read_bytes())
        try_garbage(target, check, seconds, found)
        sys.stdout.flush()
        os._exit(0)  # a server of the target may still listen in a thread
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["sane"]):
        check = import_module(f"tests.fuzz.{target}").check
    corpus = [str(found), str(HERE / "corpus" / target)]
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={found}/"]
    atheris.Setup([sys.argv[0], *options, "-timeout=20", *(files or corpus)], check)
    atheris.Fuzz()


def start(target: str, seconds: int) -> subprocess.Popen[str]:
    """Start fuzzing *target*; what the fuzzer says goes to build/fuzz/TARGET.log."""
    log = ROOT / "build" / "fuzz" / f"{target}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    tree = {"SANE_TEST_TREE": str(COMPILED)} if target == "jpeg" else {}
    with log.open("w") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.run", str(seconds), target],
            cwd=ROOT,
            env={**os.environ, **tree},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )


def report(target: str, process: subprocess.Popen[str]) -> bool:
    """Wait for *process* and print how it went; return whether it found nothing."""
    failed = process.wait() != 0
    text = (ROOT / "build" / "fuzz" / f"{target}.log").read_text(errors="replace")
    runs = re.findall(r"^#(\d+)|^Done (\d+) runs", text, re.MULTILINE)
    count = max((int(a or b) for a, b in runs), default=0)
    coverage = re.findall(r"cov: (\d+) ft: (\d+)", text)[-1:] or [("?", "?")]
    verdict = f"FAULT, see build/fuzz/{target}.log" if failed else "no fault"
    edges, features = coverage[0]
    print(f"{target}: {count} runs, {edges} edges, {features} features, {verdict}", flush=True)
    return not failed


def write_seeds() -> None:
    """Write what each target's corpus begins with."""
    sys.path.insert(0, str(ROOT))
    for path in sorted(HERE.glob("*.py")):
        module = import_module(f"tests.fuzz.{path.stem}")
        if hasattr(module, "seeds"):
            folder = HERE / "corpus" / path.stem
            folder.mkdir(exist_ok=True)
            for name, data in module.seeds().items():
                (folder / name).write_bytes(data)


def main() -> int:
    """Fuzz all targets or one; 1 if a fault was found."""
    words = sys.argv[1:]
    if words == ["seeds"]:
        write_seeds()
        return 0
    seconds = int(words[0]) if words else SECONDS
    if len(words) > 1:
        fuzz(words[1], seconds, words[2:])
    good = True
    for at in range(0, len(TARGETS), AT_ONCE):
        running = {target: start(target, seconds) for target in TARGETS[at : at + AT_ONCE]}
        for target, process in running.items():
            good &= report(target, process)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
