"""Which checks there are, in which order, and what is done with their findings.

It knows all areas, and how the options of the command line change the report.
"""

from __future__ import annotations

import sys

from . import (
    configuration,
    device,
    helpers,
    installation,
    network,
    repair,
    report,
    saned_hosts,
    service,
    usb,
)
from .checks import Check, run
from .finding import FAULT, OK
from .machine import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from ..pysane.talk import Talk
    from .finding import Finding

NET = 2 * network.LIST_SECONDS + 2.0  # drivers are asked in turn by two checks
HEAR = network.HEAR_SECONDS + 3.0
PROGRAMS = 20.0  # several starts of a program on a busy machine

CHECKS = (
    Check("installation.versions", "versions", installation.versions),
    Check("installation.library", "the linker's cache", installation.library, PROGRAMS),
    Check("installation.copies", "copies of libraries", installation.copies, PROGRAMS),
    Check("installation.python-sane", "python-sane", installation.python_sane),
    Check("installation.folders", "folders of configuration", installation.folders),
    Check("installation.files", "configuration files", configuration.files),
    Check("installation.backends", "backends in dll.conf", configuration.backends),
    Check("usb.bus", "the USB", usb.bus),
    Check("usb.driver", "drivers of USB scanners", usb.drivers),
    Check("usb.access", "access to USB scanners", usb.access),
    Check("usb.rule", "udev rules", usb.rules),
    Check("usb.holder", "who holds USB scanners", usb.holders),
    Check("usb.autosuspend", "power saving of USB scanners", usb.autosuspend),
    Check("network.interfaces", "network interfaces", network.interfaces),
    Check("network.dnssd", "announcements (DNS-SD)", network.dnssd, HEAR),
    Check("network.firewall", "announcements that come through", network.firewall, HEAR),
    Check("network.ipv6", "addresses of both families", network.families, HEAR),
    Check("network.escl", "scanners that speak eSCL", network.found_by("escl"), NET),
    Check("network.wsd", "scanners that speak WS-Scan", network.found_by("wsd"), NET),
    Check("network.host", "scanners in configuration files", network.hosts, NET),
    Check("network.tls", "TLS handshakes", network.tls, NET + HEAR),
    Check("network.saned", "hosts of net.conf", saned_hosts.hosts, NET + HEAR),
    Check("network.announced", "servers that announce themselves", saned_hosts.announced, HEAR),
    Check("service.socket", "the socket of saned", service.socket),
    Check("service.group", "the user of saned", service.group),
    Check("service.access", "saned.conf", service.access),
    Check("helpers.tesseract", "tesseract", helpers.tesseract, PROGRAMS),
    Check("helpers.ocrmypdf", "ocrmypdf", helpers.ocrmypdf, PROGRAMS),
    Check("helpers.pdfa", "Ghostscript and veraPDF", helpers.pdfa, PROGRAMS),
    *(
        Check(f"helpers.{row[0].lower().partition('-')[0]}", row[0], helpers.package(*row))
        for row in helpers.PACKAGES
    ),
)


def tell(options: Namespace, talk: Talk) -> int:
    """Do all checks, and write the report that *options* ask for; return 1 if there are faults."""
    machine = Machine(scans=options.scan)
    machine.private.hides = not options.no_mask
    findings = examine(machine)
    if options.json:
        talk.emit(report.as_json(findings, machine.private))
    else:
        for line in report.lines(findings, machine.private, columns()):
            talk.say(line)
    if options.fix:
        write = talk.tell if options.json else talk.say
        for line in repair.repair(findings):
            write(line)
    return 1 if any(one.level == FAULT for one in findings) else 0


def columns() -> int:
    """Return the width of the terminal, 0 where stdout is none."""
    if sys.stdout is None or not sys.stdout.isatty():
        return 0
    from shutil import get_terminal_size

    return get_terminal_size().columns


def examine(machine: Machine, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Do *checks* side by side, then open the scanners one after the other."""
    findings = run(checks, machine)
    findings += run([device.LIST], machine)
    if findings[-1].level == OK:  # else there is none, or listing has not ended
        for one in device.found(machine).devices:
            findings += run([device.opening(one)], machine)
        device.found(machine).registry.exit()
    return findings
