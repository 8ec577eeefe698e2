"""python3 -m sane.cli.udev: write udev rules, hwdb entries, AppStream data from drivers' data."""

from __future__ import annotations

import argparse
import sys

from ..config import Environment
from ..usb.rules import Driver, hwdb, metainfo, read_hwdb, rules
from .drivers import usb_backends
from .ending import ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = {"rules": rules, "hwdb": hwdb, "metainfo": metainfo}
NOTHING = "/nonexistent"  # a folder without configuration: rules are for what drivers know


def drivers(environment: Environment) -> list[Driver]:
    """Return what the rules need to know of all USB drivers."""
    return [
        Driver(name, backend.usb_ids, backend.usb_classes)
        for name, backend in usb_backends(environment).items()
    ]


def foreign(path: str) -> Driver:
    """Return the scanners of another stack's hwdb file."""
    with open(path, encoding="utf-8", errors="replace") as file:
        found = read_hwdb(file.read())
    return Driver("other", [(*ids, text, "") for ids, text in found.items()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    return ended("sane.cli.udev", lambda: run(arguments))


def run(arguments: Sequence[str] | None) -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m sane.cli.udev", description=__doc__)
    parser.add_argument("what", choices=TEXTS)
    parser.add_argument(
        "--foreign",
        metavar="HWDB",
        help="add the scanners of this hwdb file, as /usr/lib/udev/hwdb.d/20-sane.hwdb",
    )
    options = parser.parse_args(arguments)
    environment = Environment({**Environment.current().variables, "SANE_CONFIG_DIR": NOTHING})
    found = drivers(environment)
    try:
        found += [foreign(options.foreign)] if options.foreign else []
    except OSError as exc:
        print(f"{options.foreign}: {exc.strerror}", file=sys.stderr)
        return 1
    print(TEXTS[options.what](found), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
