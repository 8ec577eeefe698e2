"""The program pysane: finds the command, runs it, and ends with the status of the table.

It knows the names of the commands; each is a module of its own, imported when it is asked for.
"""

from __future__ import annotations

import sys

from ..ending import flush, leave_stdout
from ..stopping import Stopping
from . import exits
from .exits import PIPE_CLOSED, Failure, failure_of, mistake, usage
from .talk import PROGRAM, Talk, prepare_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from .words import Parser

COMMANDS = {  # its module here, and what help says
    "list": ("listing", "list the scanners that are there"),
    "info": ("info", "show what a scanner can do, and its options"),
    "scan": ("scan", "scan pages into a file"),
    "preview": ("preview", "scan the whole area quickly, at a low resolution"),
    "profile": ("profile", "list, show, save or delete profiles of scan"),
    "watch-button": ("button", "run a command whenever a scanner's button is pressed"),
    "share": ("share", "share scanners with phones, browsers and other computers"),
    "doctor": (".doctor.main", "find out why a scanner is not found or does not scan"),
    "completion": ("completion", "print a completion script for bash, zsh or fish"),
}
HIDDEN = {"_complete": "complete"}  # what the completion scripts call
HELP = """usage: pysane COMMAND [OPTIONS] ...

Scan from the command line.

commands:
{commands}

pysane COMMAND --help tells more of one; pysane --version gives the version. Exit statuses and
examples are in the man page pysane(1).
"""


class Run:
    """What a command gets: its options, the words they were read from, its voice, signals."""

    def __init__(
        self, options: argparse.Namespace, words: Sequence[str], talk: Talk, stopping: Stopping
    ) -> None:
        self.options = options
        self.words = words
        self.talk = talk
        self.stopping = stopping


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status, one of `exits.TABLE`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    name = words[0] if words else ""
    talk = Talk(json="--json" in words)
    try:
        if name in ("-h", "--help", "help", ""):
            return top_help(name)
        if name in ("-V", "--version"):
            return version()
        command, parser = found(name)
        try:
            options = parser.read(words[1:])
        except SystemExit:  # of argparse, after --help
            return ended(lambda: exits.OK, talk)
        return perform(command, options, words[1:])
    except Failure as exc:
        return told(exc, talk)


def top_help(name: str) -> int:
    """Print what commands there are; without a command that is a mistake."""
    texts = (f"  {command:<13} {text}" for command, (_, text) in COMMANDS.items())
    text = HELP.format(commands="\n".join(texts))
    if not name:
        raise usage("no command", text.partition("\n\n")[2].rstrip())
    print(text, end="")
    return ended(lambda: 0, Talk())


def version() -> int:
    """Print the version."""
    from ... import __version__

    print(f"{PROGRAM} {__version__}")
    return ended(lambda: 0, Talk())


def found(name: str) -> tuple[Callable[[Run], int], Parser]:
    """Return what runs the command *name*, and its parser."""
    from importlib import import_module

    module = HIDDEN.get(name) or COMMANDS.get(name, ("", ""))[0]
    if not module:
        from .words import meant

        what = "option" if name.startswith("-") else "command"
        raise usage(f"unknown {what} {name}{meant(name, COMMANDS)}", f"see {PROGRAM} --help")
    command = import_module(f".{module}", __package__)
    run: Callable[[Run], int] = command.run
    parser: Parser = command.parser()
    return run, parser


def perform(
    command: Callable[[Run], int], options: argparse.Namespace, words: Sequence[str]
) -> int:
    """Run one command; return its exit status after what it opened is closed."""
    get = vars(options).get
    talk = Talk(
        json=get("json", False),
        quiet=get("quiet", False),
        verbose=get("verbose", 0),
        color=get("color", "auto"),
    )
    stopping = Stopping()
    run = Run(options, words, talk, stopping)
    status = ended(lambda: command(run), talk, debug=get("debug", False), stopping=stopping)
    stopping.closing()
    from ... import exit as end_backends

    end_backends()
    leave_stdout()
    return stopping.status or status


def ended(
    work: Callable[[], int], talk: Talk, *, debug: bool = False, stopping: Stopping | None = None
) -> int:
    """Return what *work* returns, or the status for what ended it, which is told."""
    from ...errors import SaneError

    try:
        status = work()
        flush()
    except BrokenPipeError:
        return PIPE_CLOSED
    except BaseException as exc:
        if isinstance(exc, KeyboardInterrupt) and (stopping is None or stopping.status):
            return exits.INTERRUPTED
        if debug:
            import traceback

            traceback.print_exc()
        if stopping is not None and stopping.status:
            return stopping.status
        known = isinstance(exc, Failure | SaneError | OSError) or hasattr(exc, "exit_code")
        return told(exc if known and isinstance(exc, Exception) else mistake(exc), talk)
    return status


def told(exc: Exception, talk: Talk) -> int:
    """Say why it failed, in words or as JSON; return the exit status."""
    failure = failure_of(exc)
    talk.fail(failure)
    if talk.json:
        try:
            talk.emit({**failure.result, "error": failure.to_dict()})
        except OSError:
            leave_stdout()  # the program's reader is gone, or its disk full: told on stderr
    return failure.status
