"""What runs when a page or a file is done: --exec, [hooks] of the configuration, --open.

It knows files and facts, and starts programs; their failure is a warning unless it must not be.
"""

from __future__ import annotations

import os
import subprocess

from .exits import PROCESSING, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .talk import Talk

VIEWERS = ("xdg-open", "gio open", "open")


def run(command: str, path: str, facts: Mapping[str, object], talk: Talk, *, must: bool) -> None:
    """Run *command* in the shell with *path* as its argument and PYSANE_... in its environment.

    must: its failure raises Failure; else it is a warning.
    """
    variables = {f"PYSANE_{name.upper()}": str(value) for name, value in facts.items()}
    environment = {**os.environ, "PYSANE_FILE": path, **variables}
    talk.note(f"running {command} {path}")
    try:
        done = subprocess.run(
            ["sh", "-c", f'{command} "$@"', "pysane", path],
            env=environment,
            stdout=2,  # ours may carry the result
            check=False,
        )
        problem = f"ended with status {done.returncode}" if done.returncode else ""
    except OSError as exc:
        problem = str(exc.strerror)
    if problem and must:
        raise Failure(PROCESSING, f"{command} {path}: {problem}", f"{path} is whole")
    if problem:
        talk.warn(f"{command} {path}: {problem}")


def show(path: str, talk: Talk) -> None:
    """Open *path* in the desktop's program for it, which goes on after us."""
    from shutil import which

    for viewer in VIEWERS:
        words = viewer.split()
        if which(words[0]):
            subprocess.Popen(
                [*words, path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            return
    talk.warn(f"{path} cannot be shown: none of {', '.join(VIEWERS)} is installed")
