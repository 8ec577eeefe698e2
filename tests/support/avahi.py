"""What avahi-browse prints, and a program that prints it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.discovery import dnssd

# As avahi-browse -rpt writes it; the addresses are those of the documentation ranges.
OUTPUT = r"""+;eth0;IPv6;saned;_sane-port._tcp;local
+;eth0;IPv4;saned;_sane-port._tcp;local
=;eth0;IPv6;saned;_sane-port._tcp;local;server.local;fe80::1;6566;"protovers=1020003"
=;eth0;IPv4;sa\059ned;_sane-port._tcp;local;server.local;192.0.2.7;6566;"protovers=1020003"
=;eth1;IPv6;two;_sane-port._tcp;local;other.local;fe80::2;7000;
=;eth1;IPv4;bad;_sane-port._tcp;local;bad.local;192.0.2.9;port;
=;eth1;IPv4;short
"""


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "avahi-browse"
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    monkeypatch.setattr(dnssd, "PROGRAM", str(path))
