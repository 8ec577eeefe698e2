"""`pysane share --check`: what would be shared, with whom, where, and what is wrong, in words.

It reads what the server would read and lists what it would list; it opens no scanner and serves
nobody.
"""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import config as files
from ...config import Environment
from ...sessions.report import Report
from .. import config
from ..addresses import NEAR, host_names, interfaces, shown_hosts
from ..certificate import CertificateError, server_context
from ..listening import CannotListen, listen
from ..problems import ScannerProblem
from ..scanners import Scanners
from .places import CannotRun, changed, state_folder

if TYPE_CHECKING:
    import logging

    from ..config import ShareSettings


def check(path: str, options: Any, log: logging.Logger) -> int:
    """Print the report; return 1 if there are problems, else 0."""
    report = Report(print)
    directories = ", ".join(each or "/" for each in files.directories(Environment.current()))
    print(f"Configuration: {path or f'no {config.FILE}'}, searched in {directories}")
    try:
        settings = changed(config.read(path), options)
    except config.ConfigError as exc:
        report.problems += exc.problems
        settings = changed(config.ShareSettings(), options)
        report.line("it is wrong, see below; this is what is shared without it")
    state = _tell_state(report, options)
    _tell_scanners(report, settings, state, log)
    _tell_people(report, settings)
    _tell_places(report, settings)
    _tell_limits(report, settings)
    return report.end()


def _tell_state(report: Report, options: Any) -> Path | None:
    report.heading("State (documents, the certificate's key, numbers of scanners)")
    try:
        folder = state_folder(options.state)
    except CannotRun as exc:
        report.problems.append(str(exc))
        return None
    report.line(str(folder))
    return folder


def _tell_scanners(
    report: Report, settings: ShareSettings, state: Path | None, log: logging.Logger
) -> None:
    """List the scanners that clients would see, and those that they would not."""
    report.heading("Shared scanners")

    async def listed() -> tuple[list[Any], Any]:
        scanners = Scanners(settings, state or Path(os.devnull).parent, log)
        try:
            found = await scanners.listed()
            shared = [each for each in found if not scanners.refusal(each.name)]
            identities = scanners.identities(shared) if state else {}
            return [(each, scanners.refusal(each.name)) for each in found], identities
        finally:
            await scanners.close()

    try:
        found, identities = asyncio.run(listed())
    except ScannerProblem as exc:
        report.problems.append(f"the scanners cannot be listed: {exc}")
        return
    shared = [each for each, refusal in found if not refusal]
    for device in shared:
        id, title = identities.get(device.name, ("", f"{device.vendor} {device.model}"))
        report.line(f"{title}: {device.name}, {device.type}" + (f", {id}" if id else ""))
    if not shared:
        report.line("none")
        report.problems.append("no scanner was found; see pysane doctor")
    for device, refusal in found:
        if refusal:
            report.line(f"not shared: {device.name}: {refusal}")


def _tell_people(report: Report, settings: ShareSettings) -> None:
    """Say who may connect, and whether somebody has to sign in."""
    report.heading("Who may connect")
    report.line("programs on this machine")
    if settings.server.networks:
        for network in settings.server.networks:
            everybody = network.prefixlen == 0
            report.line(f"{network}" + (": EVERYBODY who can reach this machine" * everybody))
    else:
        report.line(f"private networks: {', '.join(map(str, NEAR))}")
        own = {each.network for each in interfaces()}
        far = [str(each) for each in own if not any(_is_within(each, near) for near in NEAR)]
        if far:
            report.line(f"the networks of this machine: {', '.join(sorted(far))}")
    for proxy in settings.server.trusted_proxies:
        report.line(f"whoever {proxy} says it is (a trusted proxy)")
    report.heading("Passwords")
    for user in settings.user:
        report.line(f"{user.name} may sign in on the page")
    for token in settings.token:
        report.line(f"the program {token.name} has a token")
    if not settings.user:
        report.line("none: whoever may connect may scan, and see what was scanned")
    if settings.user and settings.escl.enabled:
        report.line("eSCL clients (phones, other computers) scan without one: they know none")
    if settings.file and (settings.user or settings.destination):
        mode = os.stat(settings.file).st_mode
        if mode & stat.S_IROTH and any("password" in str(each) for each in settings.destination):
            report.problems.append(f"{settings.file} holds secrets, and everybody may read it")


def _is_within(network: Any, near: Any) -> bool:
    return bool(network.version == near.version and network.subnet_of(near))


def _tell_places(report: Report, settings: ShareSettings) -> None:
    """Say where the server would listen, by which names, and how it is announced."""
    report.heading("Where")
    server, https = settings.server, settings.https
    where = ", ".join(server.addresses) or "every address of this machine"
    report.line(f"port {server.port or 'any'} of {where}, http")
    ports = [server.port]
    if https.enabled:
        report.line(f"port {https.port or 'any'} of {where}, https, with {_certificate(https)}")
        ports.append(https.port)
        if https.certificate:
            try:
                server_context(https.certificate, https.key)
            except CertificateError as exc:
                report.problems.append(f"https.certificate: {exc}")
    for port in ports:
        try:
            for sock in listen(server.addresses, port):
                sock.close()
        except CannotListen as exc:
            report.line(f"not now: {exc} (is a server running?)")
    if server.port_per_scanner:
        report.line(f"each scanner has a port of its own, too, from {server.port + 1} on")
    names = [*host_names(), *server.names]
    report.line(f"it answers to the names {', '.join(names)} and to its addresses")
    first = server.base_url or f"http://{shown_hosts(server.addresses)[0]}:{server.port}"
    report.line(f"the page: {first}/")
    report.announcing(server.announce, "server.announce")


def _certificate(https: Any) -> str:
    return https.certificate or "a certificate of its own"


def _tell_limits(report: Report, settings: ShareSettings) -> None:
    report.heading("Limits")
    limits = settings.limits
    report.line(f"{limits.connections} connections, {limits.connections_per_address} of one host")
    report.line(f"{limits.worker_memory_mib} MiB for a scanner's driver")
    report.line(f"documents are kept for {settings.documents.keep_days:g} days")
