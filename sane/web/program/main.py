"""`pysane share` and the service: the log, signals, and where people find the page.

It knows the process; the server is server.py. SIGINT and SIGTERM end it, a second one at once;
SIGHUP reads the configuration and lists the scanners again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from ...config import Environment
from .. import config
from ..certificate import CertificateError
from ..config import ConfigError
from ..context import ShareContext
from ..listening import CannotListen
from ..scanners import Scanners
from ..server import WebServer
from .places import CANNOT_LISTEN, CannotRun, changed, locked, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..config import ShareSettings

OK, USAGE, CONFIG = 0, 64, 78
NAME = "pysane share"
FIXED = {  # by section: the keys that need a restart; all of a section without names
    "server": ("port", "addresses", "page", "port_per_scanner"),
    "escl": ("enabled",),
    "scanners": ("hot_plug",),
    "https": (),
    "limits": (),
}
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


def run(options: Any) -> int:
    """Check or serve; return the exit status.

    options: config, state (paths, "" for the usual ones), port, bind (list), announce, https
    (None: as configured), check, hash_password, new_token, verbose, service (for a service manager:
    no code to scan).
    """
    log = logger(options.verbose, options.service)
    try:
        if options.hash_password or options.new_token:
            return print_hash() if options.hash_password else print_token()
        path = options.config or config.find(Environment.current())
        if options.check:
            from .check import check

            return check(path, options, log)
        settings = changed(config.read(path), options)
        state = state_folder(options.state)
        lock = locked(state)
        try:
            return asyncio.run(serve(settings, state, log, options))
        finally:
            os.close(lock)
    except ConfigError as exc:
        for problem in exc.problems:
            print(f"{NAME}: {problem}", file=sys.stderr)
        return CONFIG
    except CannotRun as exc:
        print(f"{NAME}: {exc}", file=sys.stderr)
        return exc.status
    except (CannotListen, CertificateError) as exc:
        print(f"{NAME}: {exc}", file=sys.stderr)
        return CANNOT_LISTEN


def print_hash() -> int:
    """Read a password, from a person twice, and print its hash."""
    from getpass import getpass

    from ..accounts import hash_password

    if sys.stdin is None:  # it was closed before the start
        password = ""
    elif not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = getpass("password: ")
        if getpass("again: ") != password:
            raise CannotRun(USAGE, "the two are not the same")
    if not password:
        raise CannotRun(USAGE, "no password")
    print(hash_password(password))
    return OK


def print_token() -> int:
    """Print a new token, and what stands in the configuration for it."""
    from ..accounts import new_token

    token, found = new_token()
    print(f"token, for the program: {token}\nhash, for the configuration: {found}")
    return OK


def logger(verbose: int, service: bool) -> logging.Logger:
    """Return the log, on stderr; uvicorn's messages go there, too."""
    level = LEVELS[min(max(verbose, int(service)), len(LEVELS) - 1)]
    handler = logging.StreamHandler()
    handler.setFormatter(Printable(f"{NAME}: %(message)s"))
    for name in ("pysane.share", "uvicorn.error"):
        log = logging.getLogger(name)
        log.handlers[:] = [handler]
        log.propagate = False
        log.setLevel(level if name == "pysane.share" else max(level, logging.WARNING))
    return logging.getLogger("pysane.share")


class Printable(logging.Formatter):
    """Lines without what could forge one or disturb a terminal: clients send it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        record.msg = "".join(
            char if char.isprintable() or char == "\n" else repr(char)[1:-1]
            for char in record.getMessage()
        ).replace("\n", "\\n")
        record.args = ()
        return super().format(record)


async def serve(settings: ShareSettings, state: Path, log: logging.Logger, options: Any) -> int:
    """Serve until a signal; return the exit status."""
    scanners = Scanners(settings, state, log)
    context = ShareContext(settings, scanners, state, log)
    server = WebServer(context, scanners)
    server.bind()
    if context.settings.server.port == 0:  # for what is announced and shown
        own = replace(settings.server, port=server.port())
        server.adopt(replace(settings, server=own))
    serving = asyncio.ensure_future(server.run(lambda: tell_ready(server, options)))
    loop = asyncio.get_running_loop()

    def end() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, os._exit, 128 + number)  # the second time, at once
        notify("STOPPING=1")
        serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, reload, server, scanners, options)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("ended")
    return OK


def reload(server: WebServer, scanners: Scanners, options: Any) -> None:
    """Read the configuration again, and list the scanners; what is wrong changes nothing."""
    context = server.context
    path = options.config or config.find(Environment.current())
    try:
        settings = changed(config.read(path), options)
    except ConfigError as exc:
        for problem in exc.problems:
            context.log.error("%s", problem)
        context.log.error("the settings stay as they were")
        return
    server.adopt(kept(settings, context.settings, context.log))
    context.log.info("%s read again", path or "no configuration")
    scanners.background(scanners.refresh(anew=True))


def kept(settings: ShareSettings, before: ShareSettings, log: logging.Logger) -> ShareSettings:
    """Return *settings* with those of *before* that a running server cannot change; tell of them.

    A port of 0 is any: the one that it got.
    """
    changed = []
    for section, keys in FIXED.items():
        new, old = getattr(settings, section), getattr(before, section)
        for key in keys or [each.name for each in fields(new)]:
            value, wanted = getattr(old, key), getattr(new, key)
            if value != wanted and (key, wanted) != ("port", 0):
                changed.append(f"{section}.{key}")
            new = replace(new, **{key: value})
        settings = replace(settings, **{section: new})
    if changed:
        log.warning("%s: what is changed there needs a restart", ", ".join(changed))
    return settings


def tell_ready(server: WebServer, options: Any) -> None:
    """Tell the service manager, and the person who started it, where the page is."""
    notify("READY=1")
    if options.service:
        server.context.log.info("listening at %s", ", ".join(server.urls()))
        return
    if sys.stdout is None:  # it was closed before the start
        return
    for line in lines(server.urls(), sys.stdout.isatty()):
        print(line)
    sys.stdout.flush()


def lines(urls: list[str], with_code: bool) -> Iterator[str]:
    """Yield what is printed: addresses, and a QR code of the first."""
    yield "The scanners of this computer are shared at"
    yield from (f"  {url}" for url in urls)
    if with_code:
        yield from code(urls[0]).splitlines()
    yield "Ctrl-C ends it."


def code(url: str) -> str:
    """Return a QR code of *url* in characters."""
    import io

    import segno

    out = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(out=out, border=2, compact=True)
    return out.getvalue()


def notify(text: str) -> None:
    """Tell systemd. Source: sd_notify(3)."""
    import socket

    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    address = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(text.encode(), address)
        except OSError:
            return  # it will notice by itself
