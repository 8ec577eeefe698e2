"""The worker's process: what it is given, how much it may take, one session, its end."""

from __future__ import annotations

import _socket
import os
import signal
import sys

from ...config import Environment
from ...sessions import CLIENT, MESSAGE
from ...sessions.access import SanedConf
from ...sessions.conversation import Conversation
from ...sessions.leaving import Leaving
from ...sessions.site import Site
from ...sessions.users import Users
from ...transport.streams import ByteStream
from .answers import ANSWERS
from .ports import PairPorts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

RECORD_BYTES = 1 << 16  # a driver gives lines; the client has the first of them at once
OPEN_FILES = 256
MIB = 1 << 20


def main(arguments: Sequence[str]) -> int:
    """Serve the server: CONTROL CHANNEL MEMORY_MIB CPU_SECONDS NETWORK LEVEL.

    The first two are descriptors. NETWORK is 1 if scanners of the network are listed, too.
    """
    control, channel, memory, seconds, network, level = map(int, arguments)
    limit(memory * MIB, seconds)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the server says what ends
    leaving = Leaving()
    settings = SanedConf()
    settings.idle_timeout = 0.0  # the server knows how long it waits
    settings.share_net = bool(network)
    name = f"worker {os.getpid()}"

    def log(at: int, text: str) -> None:
        if at <= level:
            print(f"pysane share: {name}: {text}", file=sys.stderr, flush=True)

    environment = Environment.current()
    site = Site(
        environment,
        settings,
        RECORD_BYTES,
        log,
        allow_network=bool(network),
        users=Users(()),  # of saned; the web server has its own
    )
    stream = ByteStream(_socket.socket(fileno=control), "the web server")
    ports = PairPorts(_socket.socket(fileno=channel))
    conversation = Conversation(stream, ports, site, ANSWERS)
    try:
        conversation.run()
    except SystemExit:
        log(MESSAGE, "told to end")
    finally:
        leaving.is_over = True  # from here on, the device is put to rest
        conversation.release()
    log(CLIENT, "has ended")
    return 0


def limit(memory: int, seconds: int) -> None:
    """Bound what a driver that runs away can take: no core, few files, so much memory and time."""
    import resource

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    lower(resource.RLIMIT_AS, memory)
    if seconds:
        lower(resource.RLIMIT_CPU, seconds)


def lower(which: int, value: int) -> None:
    """Set a limit of this process, never above what it has."""
    import resource

    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))
