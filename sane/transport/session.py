"""A recorded network session: its connections with what went over them, and its text format.

It knows the format of docs/net-sessions.md; recording.py writes it, replay.py plays it.
"""

from __future__ import annotations

from ..errors import DeviceIOError
from ..record import BadSession, blocks, hex_rows, read_file
from .failures import Disconnected, NoAnswer, Untrusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC = "pysane-net 1"

# What a record may be; the first three begin a channel.
OPEN, TELL, RANDOM = "open", "tell", "random"
OUT, IN, ASK, ANSWER, KEY, SHUT, CLOSE = "out", "in", "ask", "answer", "key", "shut", "close"
WORDS = {  # how many words follow before the outcome
    OPEN: 3,  # kind, host or path, port
    TELL: 1,  # what was asked
    RANDOM: 0,
    OUT: 0,
    IN: 0,
    ASK: 1,  # port
    ANSWER: 3,  # host, port, interface
    KEY: 1,  # of TLS
    SHUT: 0,
    CLOSE: 0,
}
WITHOUT_OUTCOME = (KEY, SHUT, CLOSE)
TCP, TLS, UNIX, UDP, SEARCH = "tcp", "tls", "unix", "udp", "search"

OK, END = "ok", "end"  # END: the peer closed
FAILURES: tuple[tuple[str, type[Exception]], ...] = (
    ("timeout", NoAnswer),
    ("closed", Disconnected),
    ("untrusted", Untrusted),
    ("error", DeviceIOError),
)


class Record:
    """One thing that happened: *what*, with its *words* and *data*, and how it ended."""

    __slots__ = ("data", "outcome", "what", "where", "words")

    def __init__(
        self, what: str, words: tuple[str, ...] = (), data: bytes = b"", outcome: str = OK
    ) -> None:
        self.what = what
        self.words = words
        self.data = data
        self.outcome = outcome
        self.where = ""

    def __str__(self) -> str:
        return " ".join([self.what, *self.words])

    def check(self) -> None:
        """Raise the failure that it ended with."""
        word, _, text = self.outcome.partition(": ")
        for known, kind in FAILURES:
            if word == known:
                raise kind(text)


class Channel:
    """One connection, or one question about the network: what opened it, and what followed."""

    __slots__ = ("backend", "opening", "records")

    def __init__(self, backend: str, opening: Record) -> None:
        self.backend = backend
        self.opening = opening
        self.records: list[Record] = []


def outcome_of(exc: Exception) -> str:
    """Return the outcome that means *exc*, a DeviceIOError or Untrusted."""
    word = next(word for word, kind in FAILURES if isinstance(exc, kind))
    return f"{word}: {' '.join(str(exc).split())}"


def lines(seconds: float, channel: str, record: Record) -> Iterator[str]:
    """Yield the lines of *record*."""
    words = [f"{seconds:.6f}", channel, record.what, *map(_escaped, record.words)]
    if record.what not in WITHOUT_OUTCOME:
        words.append(record.outcome)
    yield " ".join(words)
    yield from hex_rows(record.data)


def _escaped(text: str) -> str:
    """Return *text* as one word: a path may have blanks, a search no interface."""
    return "".join(f"%{ord(c):02x}" if c in "% \t\n\r" else c for c in text) or "-"


def _unescaped(word: str) -> str:
    text, *rest = word.split("%")
    for part in rest:
        text += chr(int(part[:2], 16)) + part[2:]
    return "" if word == "-" else text


def load(path: str) -> list[Channel]:
    """Return the channels of the last run in *path*; raises BadSession or OSError."""
    return parse(read_file(path).decode("utf-8", "surrogateescape").splitlines(), path)


def parse(text: Iterable[str], path: str) -> list[Channel]:
    """Return the channels of a session in the order of their opening; raises BadSession."""
    found: dict[str, Channel] = {}
    process: list[str] = []
    for block in blocks(text, path, MAGIC):
        first, *words = block.words
        if first == "process":
            if words[:1] != process:  # another run was appended: the last one counts
                found.clear()
            process = words[:1]
            continue
        try:
            float(first)
            name, record = _record(words, block.data)
            record.where = block.where
            if record.what in (OPEN, TELL, RANDOM):
                found[name] = Channel(name.rpartition(":")[0], record)
            else:
                found[name].records.append(record)
        except (ValueError, IndexError, KeyError) as exc:
            reason = str(exc) if isinstance(exc, ValueError) else "a word is missing or unknown"
            raise BadSession(f"{block.where}: {reason}") from exc
    return list(found.values())


def _record(words: list[str], data: bytes) -> tuple[str, Record]:
    name, what, *rest = words
    if what not in WORDS:
        raise ValueError(f"{what!r} is none of {', '.join(WORDS)}")
    own = rest[: WORDS[what]]
    outcome = " ".join(rest[WORDS[what] :]) or OK
    if len(own) < WORDS[what] or (rest[WORDS[what] :] == [] and what not in WITHOUT_OUTCOME):
        raise ValueError("a word is missing")
    known = [OK, END, *(word for word, _ in FAILURES)]
    if outcome.partition(":")[0] not in known:
        raise ValueError(f"{outcome!r} is none of {', '.join(known)}")
    return name, Record(what, tuple(map(_unescaped, own)), data, outcome)
