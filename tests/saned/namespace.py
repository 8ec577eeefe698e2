"""Run in network and mount namespaces of their own: strangers, silent names, reloads, a port.

namespace.py strangers|announcer|taken FOLDER prints "all is well", or raises.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from sane.saned.places import PENDING, PENDING_OF_HOST
from sane.wire import messages
from tests.support.saned import Saned, configure
from tests.support.saned_starts import run
from tests.support.timing import SECONDS, wait_until

NAMED, STRANGERS = "10.0.0.4", ("10.0.0.2", "10.0.0.3")
PROMPT = 4.0  # a connect that the parent answers takes milliseconds
PUBLISHER = """#!/bin/sh
echo began >> {told}
trap 'sleep 0.3; echo ended >> {told}; exit 0' TERM
while :; do sleep 0.05; done
"""


def set_up(folder: Path) -> None:
    """Make the addresses, and a name service that takes questions and answers none."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (NAMED, *STRANGERS):
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    for name, text in (
        ("resolv.conf", "nameserver 127.0.0.1\n"),
        ("hosts", "127.0.0.1 localhost\n"),
    ):
        (folder / name).write_text(text)
        subprocess.run(["mount", "--bind", str(folder / name), f"/etc/{name}"], check=True)


def connect(server: Saned, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), PROMPT, (source, 0))


def gets_in(server: Saned, source: str) -> bool:
    with connect(server, source) as sock:
        sock.sendall(messages.Init(0x01000003, "x").encode())
        return len(sock.recv(8)) == 8


def strangers(folder: Path) -> None:
    """Seventy connections of strangers keep out nobody whom an address lets in."""
    text = f"{NAMED}\nscan-client.example.org\n"
    config = configure(folder / "conf", saned_conf=text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 53))
        with Saned(config, address="0.0.0.0") as server:
            held = [connect(server, source) for source in STRANGERS for _ in range(35)]
            assert wait_until(lambda: len(server.children()) == 2 * PENDING_OF_HOST)
            for _ in range(3):
                assert gets_in(server, NAMED)
                assert gets_in(server, "127.0.0.1")
            assert len(server.children()) <= PENDING + 2
            assert "wait for their names" in server.log
            server.process.terminate()  # a look-up that does not stop is no reason to wait
            assert server.process.wait(2 * SECONDS) == 0
            assert server.log.count("ended by SIGTERM") == 2 * PENDING_OF_HOST, server.log
            for sock in held:
                sock.close()


def announcer(folder: Path) -> None:
    """Off and on again, quicker than the announcement is withdrawn."""
    told = folder / "told"
    program = folder / "avahi-publish"
    program.write_text(PUBLISHER.format(told=told))
    program.chmod(0o755)
    config = configure(folder / "conf")
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    with Saned(config, address="0.0.0.0") as server:
        assert wait_until(told.exists)
        for text in ("announce = no\n", ""):
            begin = len(server.log)
            (config / "saned.conf").write_text(text)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("read again", begin=begin)
        assert wait_until(lambda: told.read_text().split() == ["began", "ended", "began"])
        time.sleep(0.2)
        assert told.read_text().split() == ["began", "ended", "began"]


def taken(folder: Path) -> None:
    """Another program has the port, on IPv4 only: nobody would know whom clients reach."""
    config = configure(folder / "conf")
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        done = run(config, "-l", "-e", "-p", str(port))
    assert done.returncode == 1, done.stderr
    assert f"cannot listen: 0.0.0.0 port {port}: Address already in use" in done.stderr
    (folder / "hosts").write_text("".join(f"{address} both\n" for address in STRANGERS))
    with socket.create_server((STRANGERS[0], 0)) as other:
        port = other.getsockname()[1]
        with Saned(config, address="both", port=port) as server:
            assert f"cannot listen: {STRANGERS[0]} port {port}: Addr" in server.log, server.log
            assert f"listening on {STRANGERS[1]}:{port}" in server.log, server.log


if __name__ == "__main__":
    place = Path(sys.argv[2])
    set_up(place)
    {"strangers": strangers, "announcer": announcer, "taken": taken}[sys.argv[1]](place)
    print("all is well")
