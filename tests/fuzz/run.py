"""python -m tests.fuzz.run [SECONDS [TARGET]]: coverage-guided fuzzing with atheris.

Each target is a module here with a function check(data), which raises for a fault, and has its
corpus in corpus/TARGET. What is found goes to build/fuzz/TARGET: inputs that reach new code, and
crash-* for faults, which are replayed by naming them: python -m tests.fuzz.run 0 TARGET FILE.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TARGETS = sorted(path.name for path in (HERE / "corpus").iterdir())
LONGEST = 4096  # bytes of an input


def fuzz(target: str, seconds: int, files: list[str]) -> None:
    """Fuzz one target in this process, which ends with it."""
    atheris: Any = import_module("atheris")
    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["sane.wire", "sane.sessions", "sane.saned"]):
        check = import_module(f"tests.fuzz.{target}").check
    found = ROOT / "build" / "fuzz" / target
    found.mkdir(parents=True, exist_ok=True)
    corpus = [str(found), str(HERE / "corpus" / target)]
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={found}/"]
    atheris.Setup([sys.argv[0], *options, *(files or corpus)], check)
    atheris.Fuzz()


def main() -> int:
    """Fuzz all targets for SECONDS together, or one; 1 if a fault was found."""
    words = sys.argv[1:]
    seconds = int(words[0]) if words else 60
    if len(words) > 1:
        fuzz(words[1], seconds, words[2:])
    share = max(1, seconds // len(TARGETS))
    failed = 0
    for target in TARGETS:
        print(f"fuzzing {target} for {share} s", flush=True)
        command = [sys.executable, "-m", "tests.fuzz.run", str(share), target]
        failed |= subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
