"""The network as one backend sees it: real, recorded, or replayed from a session.

It is the only place that decides this; streams, datagrams and searches know nothing of it.
"""

from __future__ import annotations

from ..debug import Debug
from ..errors import DeviceIOError
from . import session
from .broadcast import ALL_NODES, EVERYBODY, Search
from .datagrams import Datagrams
from .opening import Target, open_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    from ..cancel import Cancels
    from ..config import Environment
    from .broadcast import Answer, Wait
    from .http import Http
    from .recording import Note, Recorder
    from .replay import Tape
    from .session import Channel
    from .streams import ByteStream
    from .url import Url

    Inner = TypeVar("Inner")

RECORD, REPLAY = "PYSANE_NET_RECORD", "PYSANE_NET_REPLAY"


class Network:
    """The hosts that a program with *environment* sees; *backend* is who asks, from any thread.

    PYSANE_NET_RECORD=file notes in the file what goes over every connection;
    PYSANE_NET_REPLAY=file has the recorded hosts and no others, and nothing waits.
    """

    def __init__(self, environment: Environment, backend: str) -> None:
        import _thread

        self._debug = Debug("network", environment)
        self._backend = backend
        self._record = environment.get(RECORD)
        self._replay = environment.get(REPLAY)
        self._recorder: Recorder | None = None
        self._channels: list[Channel] | None = None
        self._lock = _thread.allocate_lock()

    @property
    def is_live(self) -> bool:
        """Whether there is a device at the other end that needs time."""
        return not self._replay

    # Connections

    def open(self, target: Target, seconds: float | None, cancel: Cancels | None) -> ByteStream:
        """Return a stream to *target*; as opening.open_stream."""
        kind = session.UNIX if target.path else session.TLS if target.trust else session.TCP
        words = kind, target.path or target.host, str(target.port)
        if self._replay:
            from .replay import ReplayStream

            return ReplayStream(self._tape(words, str(target)), target.host, target.port, cancel)
        if not self._record:
            return open_stream(target, seconds, cancel)
        from .recording import RecordingStream

        return self._noted(words, lambda: open_stream(target, seconds, cancel), RecordingStream)

    def datagrams(
        self,
        host: str,
        port: int,
        seconds: float | None = None,
        cancel: Cancels | None = None,
        *,
        any_port: bool = False,
    ) -> Datagrams:
        """Return a UDP socket for *host*; as Datagrams.to."""
        words = session.UDP, host, str(port)
        if self._replay:
            from .replay import ReplayDatagrams

            return ReplayDatagrams(self._tape(words, f"{host} port {port}"), cancel)

        def to() -> Datagrams:
            return Datagrams.to(host, port, seconds, cancel, any_port=any_port)

        if not self._record:
            return to()
        from .recording import RecordingDatagrams

        return self._noted(words, to, RecordingDatagrams)

    def search(
        self,
        questions: Sequence[tuple[bytes, int]],
        wait: Wait,
        seconds: float,
        *,
        to: Sequence[str] = (EVERYBODY, ALL_NODES),
        from_port: int = 0,
        with_loopback: bool = False,
        **how: Any,
    ) -> Iterator[Answer]:
        """Ask everybody on all networks; yield the answers. See Search and Search.ask."""
        sockets = self._search(to, from_port, with_loopback)
        try:
            yield from sockets.ask(questions, wait, seconds, **how)
        finally:
            sockets.close()

    def _search(self, to: Sequence[str], from_port: int, with_loopback: bool) -> Search:
        words = session.SEARCH, ",".join(to), str(from_port)
        if self._replay:
            from .replay import ReplaySearch

            return ReplaySearch(self._tape(words, "search"))

        def search() -> Search:
            return Search(to, self._debug, from_port, with_loopback)

        if not self._record:
            return search()
        from .recording import RecordingSearch

        return self._noted(words, search, RecordingSearch)

    def http(self, base: Url, **how: Any) -> Http:
        """Return a client for the host of *base*; as Http, whose streams are ours."""
        from .http import Http

        client = Http(base, connect=self.open, **how)
        client.is_live = self.is_live
        return client

    # What else is not the same at each run

    def told(self, question: str, ask: Callable[[], list[list[str]]]) -> list[list[str]]:
        """Return what *ask* returns about the network, rows of texts, as what DNS-SD found.

        question: a word for it. A replay gives what was told then, without asking.
        """
        if self._replay:
            channel = self._take(session.TELL, (question,))
            data = channel.opening.data if channel is not None else b""
            rows = data.decode("utf-8", "surrogateescape").split("\n") if data else []
            return [row.split("\t") for row in rows]
        rows_told = ask()
        if self._record:
            texts = ("\t".join(" ".join(text.split()) for text in row) for row in rows_told)
            data = "\n".join(texts).encode("utf-8", "surrogateescape")
            self._recording().channel()(session.TELL, (question,), data)
        return rows_told

    def random(self, size: int) -> bytes:
        """Return *size* random bytes, in a replay those of then: for what must not repeat."""
        import os

        if self._replay:
            channel = self._take(session.RANDOM, ())
            return (channel.opening.data if channel is not None else b"").ljust(size, b"\0")[:size]
        data = os.urandom(size)
        if self._record:
            self._recording().channel()(session.RANDOM, (), data)
        return data

    # Sessions

    def _noted(
        self,
        words: tuple[str, ...],
        opening: Callable[[], Inner],
        kind: Callable[[Inner, Note], Inner],
    ) -> Inner:
        """Open something, note how that ended, and return it as a *kind* that notes the rest."""
        from .recording import FAILED

        note = self._recording().channel()
        try:
            inner = opening()
        except FAILED as exc:
            note.failed(session.OPEN, words, exc)
            raise
        note(session.OPEN, words)
        return kind(inner, note)

    def _recording(self) -> Recorder:
        from .recording import Recorder

        with self._lock:
            if self._recorder is None:
                self._recorder = Recorder(self._record or "", self._backend)
            return self._recorder

    def _tape(self, words: tuple[str, ...], peer: str) -> Tape:
        """Return the next recorded channel that was opened by *words*; raises as it failed then."""
        from .replay import Tape

        channel = self._take(session.OPEN, words)
        if channel is None:
            text = f"{peer}: replay: the recording has no (further) {' '.join(words)}"
            self._debug(1, "%s", text)
            raise DeviceIOError(text)
        channel.opening.check()
        return Tape(channel, peer, self._debug)

    def _take(self, what: str, words: tuple[str, ...]) -> Channel | None:
        with self._lock:
            channels = self._load()
            for channel in channels:
                opening = channel.opening
                is_wanted = (opening.what, opening.words) == (what, words)
                if is_wanted and channel.backend == self._backend:
                    channels.remove(channel)
                    return channel
        return None

    def _load(self) -> list[Channel]:
        """Return the channels of the recorded session that were not used yet."""
        from ..record import BadSession

        if self._channels is None:
            path = self._replay or ""
            try:
                self._channels = session.load(path)
            except (BadSession, OSError) as exc:
                reason = f"{path}: {exc.strerror}" if isinstance(exc, OSError) else str(exc)
                self._debug(0, "%s: %s", REPLAY, reason)
                raise DeviceIOError(f"{REPLAY}: {reason}") from exc
        return self._channels

    def close(self) -> None:
        """Close the file of a recording; may be called again, and used after it."""
        with self._lock:
            if self._recorder is not None:
                self._recorder.close()
                self._recorder = None
