"""saned: shares the scanners of this machine with other machines.

A process that holds no thread listens and forks a process for each client. Source: net-protocol 8.
"""

from __future__ import annotations

import os
import signal
import sys

from ..cancel import LOWEST_FD
from ..config import Environment
from ..errors import SaneError
from ..sessions import CLIENT, DEBUG, ERROR
from ..sessions.access import Access
from ..transport import service_port
from ..wire import PORT, SERVICE
from . import listeners, process
from .log import Log
from .options import USAGE, Options, UsageError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .client import Service

BACKEND_PATH = "PYSANE_BACKEND_PATH"
STDOUT = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments, process.is_user)
    except UsageError as exc:
        print(f"saned: {exc}\n{USAGE}", end="", file=sys.stderr)
        return 1
    if options.help:
        print(USAGE, end="", file=sys.stderr)
        return 0
    environment = surroundings(options)
    if options.check:
        from .check import check

        return check(options, environment)
    log = Log(options.level, options.to_stderr)
    try:
        return run(options, environment, log)
    except (process.Refused, SaneError) as exc:
        complain(log, str(exc))
        return 1


def surroundings(options: Options) -> Environment:
    """Return the environment; whose drivers run here is said on the command line only."""
    environment = Environment.current()
    environment.variables.pop(BACKEND_PATH, None)
    if options.backend_path:
        environment.variables[BACKEND_PATH] = options.backend_path
    return environment


def complain(log: Log, text: str) -> None:
    """Log an error, and show it to whoever started the program at a terminal."""
    log(ERROR, text)
    if not log.to_stderr and os.isatty(2):
        print(f"saned: {text}", file=sys.stderr)


def run(options: Options, environment: Environment, log: Log) -> int:
    """Serve in the mode that the command line and the environment say."""
    count = 0 if options.alone else listeners.passed_by_systemd(os.environ)
    fd = listeners.FIRST_PASSED_FD
    if not (options.alone or count):
        fd = take_over_stdout()  # before anything is written to what may be the client
    for warning in options.warnings:
        complain(log, warning)
    access = Access.read(environment)
    for problem in access.problems:
        log(ERROR, problem)
    log(CLIENT, f"saned of PySANE starts, as {process.identity()}")
    if options.alone or count:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # until the daemon notes it
    if options.alone:
        port = service_port(SERVICE, PORT) if options.port is None else options.port
        sockets: list[listeners.Listener] | None = listeners.listen(
            options.bind, port, lambda text: complain(log, text)
        )
    else:
        sockets = listeners.adopt(count) if count else None
    if sockets:
        stand_alone(options, environment, access, log, sockets)
        return 0
    if count > 1:
        log(ERROR, f"systemd passed {count} connections instead of one: none is served")
        return 0
    if not listeners.is_socket(fd):
        raise process.Refused("LISTEN_FDS announces a connection, but descriptor 3 is none")
    service_of(options, environment, access, log).serve(fd)
    return 0


def service_of(options: Options, environment: Environment, access: Access, log: Log) -> Service:
    """Return what every client is served with."""
    from .client import Service

    record_bytes = options.buffer_kib << 10
    return Service(environment, access.settings, record_bytes, log, options.allow_network)


def stand_alone(
    options: Options,
    environment: Environment,
    access: Access,
    log: Log,
    sockets: list[listeners.Listener],
) -> None:
    """Serve the clients of *sockets*, in the background if asked to, as another user if told."""
    if options.user and not process.is_user(options.user):  # while somebody sees the status
        raise process.Refused(f"there is no user {options.user}")
    if not options.background:
        serve_all(options, environment, access, log, sockets)
        return
    process.to_background()
    failure = process.write_pid_file()
    if failure:
        log(ERROR, failure)
    try:
        serve_all(options, environment, access, log, sockets)
    finally:
        process.remove_pid_file()


def serve_all(
    options: Options,
    environment: Environment,
    access: Access,
    log: Log,
    sockets: list[listeners.Listener],
) -> None:
    """Serve the clients of *sockets* until told to end, as another user if told."""
    from ..sessions.listing import SharedLists
    from .daemon import Daemon
    from .warm import preload

    service = service_of(options, environment, access, log)
    if not options.allow_network:  # its listing may ask this server, and would wait for itself
        service.lists = SharedLists()
    daemon = Daemon(options, sockets, service)
    preload(environment, log)
    if options.user:
        process.become(options.user)
        log(CLIENT, f"now {process.identity()}")
    for number, listener in enumerate(sockets):
        log(CLIENT, f"listening on {listener.name}")
        if options.port == 0:  # the words by which clients' test suites find the port
            log(DEBUG, f"do_bindings: [{number}] socket () using {listener.protocol}")
            log(DEBUG, f"do_bindings: [{number}] selected ephemeral port: {listener.port}")
    daemon.run()


def take_over_stdout() -> int:
    """Return the connection that inetd passed, away from the standard streams (8.2).

    Backends may print: from now on that goes nowhere.
    """
    if not listeners.is_socket(STDOUT):
        raise process.Refused(
            "standard output is no connection: start saned by inetd or systemd, or with -l"
        )
    import fcntl

    fd = fcntl.fcntl(STDOUT, fcntl.F_DUPFD_CLOEXEC, LOWEST_FD)
    process.silence((0, STDOUT, 2))
    return fd
