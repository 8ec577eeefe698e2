"""Command lines by the rules of GNU getopt_long: abbreviations, clusters of letters, operands.

It knows words, and neither what options mean nor what is done about a mistake. Options and
operands may come in any order; "--" ends the options. Source: the manual of glibc, 25.2.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

NONE, REQUIRED, OPTIONAL, NUMBER = range(4)  # NUMBER: optional, the next word only if it is one


class Long:
    """A long option: its name, whether it has an argument, and what stands for it when found."""

    __slots__ = ("argument", "key", "name")

    def __init__(self, name: str, argument: int, key: object) -> None:
        self.name = name
        self.argument = argument
        self.key = key

    def is_like(self, other: Long) -> bool:
        """Tell whether an abbreviation of both may mean either: getopt takes the first then.

        All options of a device count as one kind, as in the original's table.
        """
        are_both = isinstance(self.key, int) and isinstance(other.key, int)
        return self.argument == other.argument and (are_both or self.key == other.key)


class Words:
    """The words of a command line, as options and operands.

    letters: what each short option has for an argument. complain(text) is told of each mistake,
    after which the rest is looked at all the same.
    """

    def __init__(
        self,
        words: Sequence[str],
        letters: Mapping[str, int],
        longs: Sequence[Long],
        complain: Callable[[str], None],
    ) -> None:
        self._rest = list(reversed(words))
        self._letters = letters
        self._longs = longs
        self._complain = complain
        self.operands: list[str] = []

    def options(self) -> Iterator[tuple[object, str | None]]:
        """Yield the letter or key of each option with its argument; collect the operands."""
        while self._rest:
            word = self._rest.pop()
            if word == "--":
                self.operands += reversed(self._rest)
                return
            if word.startswith("--"):
                yield from self._long(word)
            elif word.startswith("-") and word != "-":
                yield from self._cluster(word[1:])
            else:
                self.operands.append(word)

    def _cluster(self, cluster: str) -> Iterator[tuple[object, str | None]]:
        for place, letter in enumerate(cluster, 1):
            argument = self._letters.get(letter)
            if argument is None:
                self._complain(f"invalid option -- '{letter}'")
            elif argument == NONE:
                yield letter, None
            else:
                value: str | None = cluster[place:]
                if not value:
                    value = self._next(argument)
                    if value is None and argument == REQUIRED:
                        self._complain(f"option requires an argument -- '{letter}'")
                        return
                yield letter, value
                return

    def _next(self, argument: int) -> str | None:
        """Return the next word, if it may be the argument of the option before it."""
        if not self._rest or argument == OPTIONAL:
            return None
        if argument == NUMBER and not self._rest[-1].lstrip("-").isdecimal():
            return None
        return self._rest.pop()

    def _long(self, word: str) -> Iterator[tuple[object, str | None]]:
        name, has_value, text = word[2:].partition("=")
        found = self._find(name, word)
        if found is None:
            return
        value = text if has_value else None
        if value is not None and found.argument == NONE:
            self._complain(f"option '--{found.name}' doesn't allow an argument")
            return
        if value is None and found.argument in (REQUIRED, NUMBER):
            value = self._next(found.argument)
            if value is None and found.argument == REQUIRED:
                self._complain(f"option '--{found.name}' requires an argument")
                return
        yield found.key, value

    def _find(self, name: str, word: str) -> Long | None:
        """Return the option that *name* is, or is a clear abbreviation of."""
        candidates = []
        for long in self._longs:
            if long.name == name:
                return long
            if long.name.startswith(name):
                candidates.append(long)
        if not candidates:
            self._complain(f"unrecognized option '{word}'")
            return None
        first = candidates[0]
        others = [long for long in candidates[1:] if not first.is_like(long)]
        if others:
            names = " ".join(f"'--{long.name}'" for long in (first, *others))
            self._complain(f"option '{word}' is ambiguous; possibilities: {names}")
            return None
        return first
