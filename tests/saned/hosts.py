"""Connects to saned from addresses that are not loopback; run it in a network of its own.

Arguments: the package's folder, a config directory, and a scanimage. It gives the loopback device
four addresses, then prints "ALLOW" or "DENY" for every line of standard input: PEER, a tab, and
the text of saned.conf with its newlines as "|".
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

SERVER4, PEER4, SERVER6, PEER6 = "10.77.0.1", "10.77.0.2", "fd00:77::1", "fd00:77::2"
PORT = 6566
SECONDS = 10
INIT = bytes.fromhex("00000000 01000003 00000000")


def run(*words: str) -> None:
    """Run a program."""
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def ask(peer: str) -> str:
    """Return whether the server answers INIT to *peer*; nothing else may come."""
    mapped = peer == "mapped"
    is_4 = mapped or peer == PEER4
    family, server = (socket.AF_INET, SERVER4) if is_4 else (socket.AF_INET6, SERVER6)
    with socket.socket(family) as sock:
        sock.settimeout(SECONDS)
        sock.bind((PEER4 if is_4 else PEER6, 0))
        sock.connect((server, PORT + mapped))
        try:
            sock.sendall(INIT)
            data = sock.recv(100)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
    assert len(data) in (0, 8), data
    return "ALLOW" if data else "DENY"


def main() -> None:
    """Run the servers and answer the questions."""
    package, config, scanimage = sys.argv[1:]
    run("ip", "link", "set", "lo", "up")
    for address in (SERVER4, PEER4):
        run("ip", "addr", "add", f"{address}/32", "dev", "lo")
    for address in (SERVER6, PEER6):
        run("ip", "-6", "addr", "add", f"{address}/128", "dev", "lo", "nodad")
    start = (
        f"import sys; sys.path.insert(0, {package!r}); import sane.saned as s; sys.exit(s.main())"
    )
    line = [sys.executable, "-I", "-c", start, "-e"]
    servers = [subprocess.Popen([*line, "-l", "-p", str(PORT)])]
    with socket.socket(socket.AF_INET6) as both:
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::", PORT + 1))
        both.listen()
        os.dup2(both.fileno(), 3)
        shell = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", *line]
        servers.append(subprocess.Popen(shell, pass_fds=[3]))
    try:
        for text in sys.stdin:
            peer, _, content = text.rstrip("\n").partition("\t")
            Path(config, "saned.conf").write_text(content.replace("|", "\n") + "\n")
            if peer == "scanimage":
                words = [scanimage, "-d", f"net:{SERVER4}:test:0", "-n"]
                print(
                    subprocess.run(words, check=False, capture_output=True).returncode, flush=True
                )
            else:
                print(ask_when_it_listens(peer), flush=True)
    finally:
        for server in servers:
            server.terminate()
            server.wait(SECONDS)


def ask_when_it_listens(peer: str) -> str:
    """Do the same, and wait for the server to start."""
    for _ in range(1000):
        try:
            return ask(peer)
        except ConnectionRefusedError:
            select.select([], [], [], 0.01)
    raise SystemExit("no server")


main()
