"""Finds services by asking the network itself: multicast DNS, for machines without a daemon for it.

It asks once and listens for a while, from a port of its own; it keeps nothing and answers nobody.
Source: RFC 6762 5.1 and 6.7 (one-shot queries), RFC 6763 4 and 12.
"""

from __future__ import annotations

import _socket

from ..cancel import NeverCancelled
from ..transport.broadcast import Search
from ..transport.sockets import Deadline
from . import dns
from .service import Service, read_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..cancel import Cancels
    from ..debug import Debug
    from ..transport.broadcast import Answer

    Name = tuple[bytes, ...]

GROUPS = ("224.0.0.251", "ff02::fb")
PORT = 5353
DOMAIN = ".local"
ROUND_SECONDS = 0.3  # then what is not known yet is asked for, and the question repeated
INSTANCES = 256  # of one type: no office has more
INSTANCES_OF_HOST = 64  # that one host tells of: it must not crowd out the others
ADDRESSES = 32  # of one host
QUESTIONS = 32  # in one datagram, which then fits into a packet


def browse(
    type: str,
    debug: Debug,
    seconds: float,
    groups: tuple[str, ...] = (),
    port: int = PORT,
    *,
    cancel: Cancels | None = None,
) -> list[Service]:
    """Return the services of *type* (``_uscan._tcp``); as browse_all."""
    return browse_all((type,), debug, seconds, groups, port, cancel=cancel)[type]


def browse_all(
    types: Sequence[str],
    debug: Debug,
    seconds: float,
    groups: tuple[str, ...] = (),
    port: int = PORT,
    *,
    cancel: Cancels | None = None,
) -> dict[str, list[Service]]:
    """Return the services of each of *types* that answer within *seconds*.

    It goes on before when something was found, all of it is known, and a round brought nothing new;
    and at once on a machine without a network. Garbage, and datagrams from another port than the
    one that was asked, are dropped; of a flood INSTANCES are heard, of one host INSTANCES_OF_HOST.
    Raises Cancelled when *cancel* is set.
    """
    sockets = Search(groups or GROUPS, debug, with_loopback=True)
    known = {type: _Known(dns.name_of(type + DOMAIN)) for type in types}
    end = Deadline(seconds)
    wait = (cancel or NeverCancelled()).wait
    before = None
    try:
        while (left := end.left()) and not _is_complete(known.values(), before):
            before = [it.count() for it in known.values()]
            for message in (message for it in known.values() for message in it.questions()):
                sockets.send(message, port)
            if not sockets.is_heard:
                break
            round_end = Deadline(min(left, ROUND_SECONDS))
            while (left := round_end.left()) and (answer := sockets.receive(wait, left)):
                if answer.port == port:
                    _take(answer, known.values(), debug)
    finally:
        sockets.close()
    return {
        type: sorted(it.services(), key=lambda service: ":" in service.address)
        for type, it in known.items()
    }


def _is_complete(known: Iterable[_Known], before: list[int] | None) -> bool:
    """Tell, after a round, whether another one is hardly worth its time.

    before: how much was known of each type before it.
    """
    is_found = any(it.has_instances() for it in known)
    return (
        is_found
        and before == [it.count() for it in known]
        and not any(it.is_missing_some() for it in known)
    )


def _take(answer: Answer, known: Iterable[_Known], debug: Debug) -> None:
    """Take over the records of one datagram."""
    try:
        records = dns.parse(answer.data)
    except dns.BadMessage as exc:
        debug(3, "mdns: %s: %s", answer.host, exc)
        return
    for it in known:
        it.take(records, answer)


class _Known:
    """What was heard about one type until now."""

    def __init__(self, type: Name) -> None:
        self._type = type
        self._instances: dict[Name, Name] = {}  # by their name as it is compared
        self._told: dict[str, int] = {}  # how many of them a host has told of
        self._servers: dict[Name, tuple[Name, int]] = {}
        self._texts: dict[Name, list[bytes]] = {}
        self._addresses: dict[Name, list[str]] = {}

    def count(self) -> int:
        """Return how much is known."""
        known = len(self._instances) + len(self._servers) + len(self._texts)
        return known + sum(map(len, self._addresses.values()))

    def has_instances(self) -> bool:
        """Tell whether there is a service of the type."""
        return bool(self._instances)

    def is_missing_some(self) -> bool:
        """Tell whether an instance is not known whole."""
        return bool(self._missing())

    def take(self, records: Iterable[dns.Record], answer: Answer) -> None:
        """Take over what *records* of *answer* tell."""
        for record in records:
            self._take(record, answer)

    def _take(self, record: dns.Record, answer: Answer) -> None:
        key = dns.key_of(record.name)
        value = record.value
        if record.type == dns.PTR and key == dns.key_of(self._type) and isinstance(value, tuple):
            told = self._told.get(answer.host, 0)
            is_new = bool(value[1:]) and dns.key_of(value) not in self._instances
            if is_new and len(self._instances) < INSTANCES and told < INSTANCES_OF_HOST:
                self._instances[dns.key_of(value)] = value
                self._told[answer.host] = told + 1
        elif record.type == dns.SRV and isinstance(value, tuple):
            self._servers.setdefault(key, value)
        elif record.type == dns.TXT and isinstance(value, list):
            self._texts.setdefault(key, value)
        elif record.type in (dns.A, dns.AAAA) and isinstance(value, bytes):
            family = _socket.AF_INET if record.type == dns.A else _socket.AF_INET6
            text = _socket.inet_ntop(family, value)
            if text.startswith("fe80:"):  # of use on its own link only
                if not answer.interface:
                    return
                text += f"%{answer.interface}"
            found = self._addresses.setdefault(key, [])
            if text not in found and len(found) < ADDRESSES:
                found.append(text)

    def questions(self) -> Iterator[bytes]:
        """Yield the datagrams that ask for the type, and for what is missing."""
        asked = [(self._type, dns.PTR), *self._missing()]
        for at in range(0, len(asked), QUESTIONS):
            try:
                yield dns.query(asked[at : at + QUESTIONS])
            except dns.BadMessage:
                continue  # who has such a name cannot be asked

    def _missing(self) -> list[tuple[Name, int]]:
        """Return the questions for what is not known of the instances."""
        asked: list[tuple[Name, int]] = []
        for key, instance in self._instances.items():
            server = self._servers.get(key)
            if server is None:
                asked.append((instance, dns.SRV))
            elif dns.key_of(server[0]) not in self._addresses:
                asked += ((server[0], dns.A), (server[0], dns.AAAA))
            if key not in self._texts:
                asked.append((instance, dns.TXT))
        return asked

    def services(self) -> Iterator[Service]:
        """Yield what is known whole, one for each address, in the order of the answers."""
        for key, instance in self._instances.items():
            server, port = self._servers.get(key, ((), 0))
            found = self._addresses.get(dns.key_of(server), [])
            texts = read_texts(_text(entry) for entry in self._texts.get(key, []))
            name = ".".join(map(_text, server))
            for address in found if port else ():
                yield Service(name, port, address, _text(instance[0]), texts)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
