"""pysane-scan: list scanners, show options, scan a page into a PNG, PNM or JPEG file.

A small frontend over the Python API, for tests and for systems without scanimage; it needs no
NumPy.
"""

from __future__ import annotations

import argparse
import io
import sys

from .. import const, get_devices
from .. import exit as end_backends
from .. import open as open_device
from ..errors import SaneError
from ..image.formats import ENDINGS
from ..listed import printable
from .ending import INTERRUPTED, PIPE_CLOSED, flush, leave_stdout
from .output import Output, Unwritable
from .stopping import Stopping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..scanner import Scanner

TYPES = ("yes|no", "number", "number", "text", "button")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status.

    0; 1 for a SANE error or a file that cannot be written; 2 for wrong usage; 128 and the number
    of the signal that ended it.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of devices are bytes: out as they came
        sys.stdout.reconfigure(errors="surrogateescape")
    options = parse(arguments)
    stopping = Stopping()
    try:
        status = run(options, stopping)
        flush()
    except KeyboardInterrupt:
        status = INTERRUPTED  # a driver's own; of a signal see below
    except BrokenPipeError:
        status = PIPE_CLOSED
    except (SaneError, Unwritable) as exc:
        status = stopping.status or tell(str(exc))
    except OSError as exc:
        status = tell(f"stdout: {exc.strerror}")
    stopping.closing()
    end_backends()
    leave_stdout()
    return stopping.status or status


def run(options: argparse.Namespace, stopping: Stopping) -> int:
    """Do what the command line says; return the exit status."""
    if options.list:
        return list_devices(stopping)
    if options.options:
        with open_device(options.device) as scanner:
            set_options(scanner, options.option)
            return show_options(scanner)
    with Output(options.output) as output, open_device(options.device) as scanner:
        set_options(scanner, options.option)
        scan_to(scanner, output, stopping)
    return 0


def tell(text: str) -> int:
    """Say what went wrong; return the exit status for it."""
    print(f"pysane-scan: {printable(text)}", file=sys.stderr)
    return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="pysane-scan", description="Scan a page.")
    parser.add_argument("-L", "--list", action="store_true", help="list the scanners")
    parser.add_argument("-A", "--options", action="store_true", help="show the options")
    parser.add_argument("-d", "--device", default="", help="its name (default: the first)")
    parser.add_argument(
        *("-o", "--output"),
        default="scan.png",
        help=f"a file that ends in one of {' '.join(ENDINGS)}, or - for stdout (PNM)",
    )
    parser.add_argument("option", nargs="*", help="options of the scanner: NAME=VALUE")
    return parser.parse_args(arguments)


def list_devices(stopping: Stopping) -> int:
    """Print a line for each scanner."""
    devices = get_devices()
    stopping.look()
    for device in devices:
        print(f"{device.name}: {device.vendor} {device.model} {device.type}")
    if not devices:
        print("no scanner found; is its backend named in dll.conf?", file=sys.stderr)
    return 0 if devices else 1


def show_options(scanner: Scanner) -> int:
    """Print name, kind and value of every active option."""
    for name, option in scanner.options.items():
        try:
            value = option.value
        except SaneError:
            continue
        if option.length <= 1:
            print(printable(f"{name} = {value}  ({TYPES[option.type]}) {option.title}"))
    return 0


def set_options(scanner: Scanner, settings: Sequence[str]) -> None:
    """Carry out each NAME=VALUE; raises SaneError with the reason if one cannot be."""
    for setting in settings:
        name, _, text = setting.partition("=")
        option = scanner.options.get(name)
        if option is None:
            raise SaneError(f"this scanner has no option {name!r}; -A shows those it has")
        value: object = text
        try:
            if option.type == const.TYPE_BOOL:
                value = {"yes": True, "no": False, "1": True, "0": False}[text]
            elif option.type in (const.TYPE_INT, const.TYPE_FIXED):
                value = float(text)
        except (KeyError, ValueError):
            raise SaneError(f"{name}: {text!r} is not {TYPES[option.type]}") from None
        option.value = value


def scan_to(scanner: Scanner, output: Output, stopping: Stopping) -> None:
    """Scan one page into *output*."""
    dpi = resolution(scanner)
    stopping.scanning(scanner.cancel)
    page = scanner.scan_page()
    stopping.working()
    output.write(page, dpi)
    stopping.closing()
    if page.is_cut:
        promised = page.parameters.lines
        tell(f"{output.name}: cut off: the scanner has sent {page.lines} of {promised} lines")
    said = sys.stderr if output.name == "stdout" else sys.stdout
    print(f"{output.name}: {page.width_px} x {page.lines} pixels", file=said)


def resolution(scanner: Scanner) -> float:
    """Return the dots per inch that the scanner is set to, 0 if it does not tell."""
    option = scanner.options.get("resolution")
    if option is None or option.unit != const.UNIT_DPI or option.length != 1:
        return 0
    try:
        return float(option.value)
    except SaneError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
