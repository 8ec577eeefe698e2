"""`pysane profile`: settings of scan under a name, in the user's configuration."""

from __future__ import annotations

from ...pagework import profiles
from ...pagework.keys import KEYS
from ...pagework.profiles import Configuration
from ...pagework.toml import table_text
from . import scan_options
from .exits import OK, usage
from .scan import operands
from .words import Parser, add_talk, meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from .main import Run

ACTIONS = ("list", "show", "save", "delete")
NOT_KEPT = ("force", "config", "no_profile", "debug", "json", "set", "operands", "options")
WHOLE = ("rotate_backs",)  # words with choices that are numbers in a file


class ProfileParser(Parser):
    """A parser that leaves what follows `save NAME` to scan's."""

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        if words[:1] != ["save"]:
            return super().read(words)
        options = scan_options.parser("pysane profile save").read(words[1:])
        options.operands = ["save", *options.operands]
        return options


def parser() -> Parser:
    """Return the parser of `pysane profile`."""
    made = ProfileParser(
        "pysane profile",
        "List, show, save or delete profiles: settings of scan under a name.",
        operands="list | show NAME | save NAME [OPTIONS OF SCAN] | delete NAME",
        epilog="example:\n  pysane profile save letters --source duplex --dpi 300 --skip-blank",
    )
    made.add("--config", metavar="FILE", help="one more configuration file")
    add_talk(made)
    return made


def run(run: Run) -> int:
    """Do what is wanted with profiles."""
    words = run.options.operands
    action = words[0] if words else "list"
    if action not in ACTIONS:
        raise usage(f"unknown action {action!r}{meant(action, ACTIONS)}", ", ".join(ACTIONS))
    if action != "list" and len(words) < 2:
        raise usage(f"profile {action}: the name of a profile is missing")
    if action == "save":
        return save(run, words[1])
    if len(words) > (1 if action == "list" else 2):
        raise usage(f"{words[-1]!r} is one word too many")
    if action == "delete":
        path = profiles.delete_profile(words[1])
        run.talk.tell(f"profile {words[1]} is deleted from {path}")
        return OK
    configuration = Configuration.load(run.options.config)
    if action == "show":
        return show(run, configuration, words[1])
    found = {name: configuration.profile(name) for name in configuration.names}
    if run.talk.json:
        run.talk.emit({"status": "ok", "profiles": found})
    for name, values in found.items() if not run.talk.json else ():
        run.talk.say(f"{name}: {', '.join(f'{key} {value}' for key, value in values.items())}")
    if not found:
        run.talk.tell("there are no profiles; pysane profile save NAME makes one")
    return OK


def names() -> list[str]:
    """Return the names of all profiles."""
    return Configuration.load().names


def show(run: Run, configuration: Configuration, name: str) -> int:
    """Print a profile, with what it extends."""
    values = configuration.profile(name)
    path = configuration.file_of(name)
    if run.talk.json:
        run.talk.emit({"status": "ok", "profiles": {name: values}, "file": path})
        return OK
    run.talk.say(f"# {path}")
    for line in table_text(("profiles", name), values).splitlines():
        run.talk.say(line)
    return OK


def save(run: Run, name: str) -> int:
    """Keep what the command line means under a name."""
    given = run.options
    given.operands = given.operands[2:]
    pairs = [*(given.set or ()), *operands(given)]
    values = kept(given)
    if pairs:
        values["options"] = dict(pairs)
    if not values:
        raise usage("there is nothing to save: give options of scan behind the name")
    path = profiles.save_profile(name, values, force=given.force)
    if run.talk.json:
        run.talk.emit({"status": "ok", "profiles": {name: values}, "file": path})
    else:
        run.talk.say(f"profile {name} is saved in {path}")
    return OK


def kept(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, by the keys of a profile; raises Failure."""
    empty = vars(scan_options.parser().read([]))
    found: dict[str, Any] = {}
    for attribute, value in vars(options).items():
        if attribute in NOT_KEPT or value == empty.get(attribute):
            continue
        key = attribute.replace("_", "-")
        if key == "profile":
            found["extends"] = value
            continue
        if key not in KEYS:
            raise usage(f"--{key} cannot be kept in a profile")
        if attribute in WHOLE:
            found[key] = int(value)
        elif attribute == "ocr" and not value:
            found[key] = True
        else:
            found[key] = list(value) if isinstance(value, tuple) else value
    return found
