"""Runs the tests of the C ABI, and a minute of stress, under AddressSanitizer and ThreadSanitizer.

Each variant is a staged tree of its own, build/asan and build/tsan, in which the C and Cython core
and the programs that call it are compiled for the sanitizer; the interpreter is as it is. Every
report fails the run, wherever it comes from: what is known to be CPython's alone is named in
SUPPRESSED.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STRESS_SECONDS = 60
TESTS = (
    *("lifecycle", "cancel", "lifetimes", "scan", "options", "listing", "c_backends"),
    *("bad_drivers", "net"),
)
# Resident memory and the speed of calls are the sanitizer's there; some programs are built for an
# AddressSanitizer in any case.
LEFT_OUT = (
    *("growth", "swelling", "many_times", "small_stack"),
    *("touches_no_memory", "write_nowhere_else", "sanitizer_sees"),
)
# A thread that pthread_cancel ends leaves marks of its frames on its stack, where Python then takes
# leave of it: what happens there is in nobody's frame. A program has one sanitizer.
LEFT_OUT_OF = {"asan": ("ended_anywhere", "thread_sanitizer"), "tsan": ()}
FLAGS = {
    # The shim's unused module code would be kept, with its Python symbols, by what ASan notes of
    # each global variable.
    "asan": "-fsanitize=address,undefined -fno-sanitize-recover=undefined --param asan-globals=0",
    "tsan": "-fsanitize=thread",
}
SUPPRESSED = {"asan": "", "tsan": ""}
FINDING = re.compile("ERROR: |WARNING: ThreadSanitizer|runtime error: ")  # other lines are advice


def run(*command: str, environment: dict[str, str]) -> int:
    """Run a command in the tree; return its status."""
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def environment_for(kind: str, folder: Path) -> dict[str, str]:
    """Return the environment that builds and tests the variant *kind* in *folder*."""
    suppressions = folder / "suppressions"
    suppressions.write_text(SUPPRESSED[kind])
    # A host or a helper that runs out of the stack or crashes on purpose is judged by its test.
    common = (
        f"log_path={folder / 'report'}:suppressions={suppressions}:exitcode=66"
        ":handle_segv=0:handle_abort=0:handle_sigbus=0"
    )
    return {
        **os.environ,
        "CC": f"{os.environ.get('CC', 'gcc')} {FLAGS[kind]}",
        "CFLAGS": "-O1 -g -fno-omit-frame-pointer",
        "SANE_TEST_PREFIX": str(folder / "prefix"),
        "SANE_STRESS_SECONDS": str(STRESS_SECONDS),
        # Leaks have a test of their own. A thread that pthread_cancel ends leaves marks of its
        # frames on its stack, into which ASan would then write itself.
        "ASAN_OPTIONS": f"{common}:detect_leaks=0:use_sigaltstack=0",
        "UBSAN_OPTIONS": f"{common}:print_stacktrace=1",
        "TSAN_OPTIONS": f"{common}:die_after_fork=0:second_deadlock_stack=1"
        # Hosts close and exit in signal handlers: that it works is what the tests are about; one
        # that ends the process there leaves its own threads.
        ":report_signal_unsafe=0:report_thread_leaks=0",
    }


def check(kind: str) -> bool:
    """Build and test the variant *kind*; return whether there was nothing to report."""
    folder = ROOT / "build" / kind
    folder.mkdir(parents=True, exist_ok=True)
    for report in folder.glob("report.*"):
        report.unlink()
    environment = environment_for(kind, folder)
    stage = (sys.executable, "setup.py", "-q", "stage", "--prefix", str(folder / "prefix"))
    if run(*stage, environment=environment):
        return False
    files = [f"tests/abi/test_{name}.py" for name in TESTS]
    pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    left_out = " or ".join((*LEFT_OUT, *LEFT_OUT_OF[kind]))
    tested = run(*pytest, *files, "-k", f"not ({left_out})", environment=environment)
    stressed = run(*pytest, "tests/abi/test_stress.py", environment=environment)
    texts = [path.read_text(errors="replace") for path in sorted(folder.glob("report.*"))]
    found = [text for text in texts if FINDING.search(text)]
    print(*found, f"{kind}: {len(found)} processes with findings, in {folder}/report.*", sep="\n")
    return not (tested or stressed or found)


def main() -> int:
    """Run the program: all variants, or those that are named."""
    begin = time.monotonic()
    failed = [kind for kind in sys.argv[1:] or FLAGS if not check(kind)]
    seconds = time.monotonic() - begin
    print(f"sanitize: {', '.join(failed) or 'nothing'} failed, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
