"""pysane-scan: what `pysane scan` was called before; it stays for one release.

It turns its own words into those of pysane: -L is `pysane list`, -A `pysane info`; without -o the
page goes to scan.png, and files are replaced.
"""

from __future__ import annotations

import sys

from .pysane.main import main as pysane

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LIST = ("-L", "--list")
SHOW = ("-A", "--options")
OUTPUT = ("-o", "--output")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status, as of pysane."""
    return pysane(translated(sys.argv[1:] if arguments is None else list(arguments)))


def translated(words: list[str]) -> list[str]:
    """Return the words for pysane."""
    if any(word in LIST for word in words):
        return ["list"]
    if any(word in SHOW for word in words):
        return ["info", *(word for word in words if word not in SHOW)]
    if any(word in ("-h", "--help") for word in words):
        return ["scan", "--help"]
    more = ["--force"]
    target = target_of(words)
    if target is None:
        more += ["--output", "scan.png"]
    elif target == "-" and not any(word.startswith("--format") for word in words):
        more += ["--format", "pnm"]
    return ["scan", *more, *words]


def target_of(words: Sequence[str]) -> str | None:
    """Return what the words say about the output; None if nothing."""
    for at, word in enumerate(words):
        if word in OUTPUT and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--output="):
            return word.partition("=")[2]
        if word.startswith("-o") and word not in OUTPUT:
            return word[2:]
        if word.startswith("--append"):
            return word
    return None


if __name__ == "__main__":
    sys.exit(main())
