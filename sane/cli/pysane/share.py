"""`pysane share`: the scanners of this machine for phones, browsers and other computers.

It knows the command line; the server is the room `web`, whose packages need not be installed.
"""

from __future__ import annotations

from .exits import MISSING, Failure
from .words import Parser, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .main import Run

PORTS = 65535
PACKAGES = {  # what is imported, and Debian's name
    "uvicorn": "python3-uvicorn",
    "starlette": "python3-starlette",
    "h11": "python3-h11",
    "segno": "python3-segno",
    "cryptography": "python3-cryptography",
    "argon2": "python3-argon2",
    "tomli": "python3-tomli",
}


def parser() -> Parser:
    """Return the parser of `pysane share`."""
    made = Parser(
        "pysane share",
        "Share the scanners of this machine: AirPrint and Mopria (eSCL), a web page, and REST.",
        epilog="examples:\n  pysane share                 until Ctrl-C\n"
        "  pysane share --check         explain what would be shared, and with whom",
    )
    made.add("--check", action="store_true", help="explain what would be shared, and end")
    made.add("--config", metavar="FILE", default="", help="the settings [pysane-share.toml]")
    made.add("--state", metavar="DIR", default="", help="where documents and keys are kept")
    made.add(
        "--port", type=whole(0, PORTS), metavar="N", help="listen on this port [8090]; 0 for any"
    )
    address = "listen on this address only; repeatable"
    made.add("--bind", metavar="ADDRESS", action="append", default=[], help=address)
    silent = "do not announce it by DNS-SD"
    told = "announce it by DNS-SD, whatever the settings say"
    made.add("--announce", action="store_const", const=True, help=told)
    made.add("--no-announce", dest="announce", action="store_const", const=False, help=silent)
    made.add("--no-https", dest="https", action="store_const", const=False, help="HTTP only")
    service = "for a service manager: tell it when all is ready, print no code"
    made.add("--service", action="store_true", help=service)
    secret = "read a password, and print its hash for a [[user]]"
    made.add("--hash-password", action="store_true", help=secret)
    token = "make a token for a program, and show its hash for a [[token]]"
    made.add("--new-token", action="store_true", help=token)
    made.add("-v", "--verbose", action="count", default=0, help="tell more; twice: everything")
    return made


def run(run: Run) -> int:
    """Share until a signal ends it."""
    try:
        from ...web.program.main import run as share
    except ModuleNotFoundError as exc:
        package = (exc.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        hint = f"apt install {PACKAGES[package]}, or pip install 'sane-stack[web]'"
        raise Failure(MISSING, f"sharing needs the Python package {package}", hint) from exc
    return share(run.options)
