"""udev rules, hwdb entries and AppStream data: written from drivers' data; hwdb is read, too.

It turns ids into text and text into ids, and installs nothing. Source: udev(7), hwdb(7), and
AppStream's specification, 2.1 and "Drivers"; the property libsane_matched=yes is what systemd's
and Debian's rules call a scanner.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Ids = tuple[int, int]

GROUP = "scanner"
HWDB = "hwdb.d/20-sane.hwdb"  # the distribution's, for the original's drivers
UDEV_FOLDERS = ("/etc/udev", "/usr/lib/udev", "/lib/udev")
HEAD = "# Written by PySANE from the data of its drivers (python3 -m sane.cli.udev).\n"

RULES = """\
{head}# A scanner may be used by whoever sits at this machine, and by the group {group}.

ACTION=="remove", GOTO="pysane_end"
SUBSYSTEM!="usb", GOTO="pysane_end"
ENV{{DEVTYPE}}!="usb_device", GOTO="pysane_end"

{matches}
ENV{{pysane_backend}}!="?*", GOTO="pysane_end"
ENV{{libsane_matched}}="yes"

# A device that sleeps when it is idle often does not wake up again.
TEST=="power/control", ATTR{{power/control}}="on"

# The printer in a multifunction device stays with the group of printers.
TAG+="uaccess", MODE="0664"
ENV{{ID_USB_INTERFACES}}!="*:0701??:*", GROUP="{group}", GOTO="pysane_end"
TEST=="/usr/bin/setfacl", RUN+="/usr/bin/setfacl -m g:{group}:rw $env{{DEVNAME}}"

LABEL="pysane_end"
"""

METAINFO = """\
<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by PySANE from the data of its drivers (python3 -m sane.cli.udev). -->
<component type="driver">
  <id>org.pypi.sane_stack</id>
  <name>PySANE</name>
  <summary>Drivers for scanners</summary>
  <metadata_license>MIT</metadata_license>
  <project_license>MIT</project_license>
  <description>
    <p>
      With these drivers every program that scans through SANE, the standard way to scan on Unix,
      can use scanners at USB and in the network.
    </p>
  </description>
  <url type="homepage">https://pypi.org/project/sane-stack/</url>
  <provides>
{modaliases}  </provides>
</component>
"""


class Driver:
    """What the rules need to know of a driver: ids with names, and interface classes."""

    __slots__ = ("classes", "ids", "name")

    def __init__(
        self,
        name: str,
        ids: Iterable[tuple[int, int, str, str]],
        classes: Iterable[tuple[int, int, int]] = (),
    ) -> None:
        self.name = name
        self.ids = {(vendor, product): f"{maker} {model}" for vendor, product, maker, model in ids}
        self.classes = tuple(classes)


def plain(text: str) -> str:
    """Return *text* fit for a comment: one line of it."""
    return " ".join(text.split())


def rules(drivers: Sequence[Driver]) -> str:
    """Return the file of udev rules for *drivers*; a product of two belongs to the first."""
    return RULES.format(head=HEAD, group=GROUP, matches="\n".join(_matches(drivers)))


def _matches(drivers: Sequence[Driver]) -> Iterator[str]:
    seen: set[Ids] = set()
    for driver in drivers:
        yield f"# {driver.name}"
        for ids, text in sorted(driver.ids.items()):
            if ids not in seen:
                seen.add(ids)
                yield f"# {plain(text)}"
                yield (
                    f'ATTR{{idVendor}}=="{ids[0]:04x}", ATTR{{idProduct}}=="{ids[1]:04x}", '
                    f'ENV{{pysane_backend}}="{driver.name}"'
                )
        for triple in driver.classes:
            code = "".join(f"{part:02x}" for part in triple)
            yield (
                f'ENV{{ID_USB_INTERFACES}}=="*:{code}:*", ENV{{pysane_backend}}!="?*", '
                f'ENV{{pysane_backend}}="{driver.name}"'
            )
        yield ""


def hwdb(drivers: Sequence[Driver]) -> str:
    """Return the same products as entries of the hardware database."""
    parts = [HEAD]
    seen: set[Ids] = set()
    for driver in drivers:
        for ids, text in sorted(driver.ids.items()):
            if ids not in seen:
                seen.add(ids)
                parts.append(
                    f"\n# {plain(text)}\nusb:v{ids[0]:04X}p{ids[1]:04X}*\n"
                    f" libsane_matched=yes\n pysane_backend={driver.name}\n"
                )
    return "".join(parts)


def metainfo(drivers: Sequence[Driver]) -> str:
    """Return what tells a software centre which devices *drivers* are for, as AppStream data."""
    ids = {ids for driver in drivers for ids in driver.ids}
    classes = {triple for driver in drivers for triple in driver.classes}
    found = [f"usb:v{vendor:04X}p{product:04X}d*" for vendor, product in sorted(ids)]
    found += ["usb:v*ic{:02X}isc{:02X}ip{:02X}*".format(*triple) for triple in sorted(classes)]
    lines = (f"    <modalias>{text}</modalias>\n" for text in found)
    return METAINFO.format(modaliases="".join(lines))


def read_hwdb(text: str) -> dict[Ids, str]:
    """Return the products that a hwdb file calls scanners, with what its comments call them."""
    found: dict[Ids, str] = {}
    comment = ""
    pending: list[Ids] = []
    for line in text.splitlines():
        if line.startswith("#"):
            comment = line[1:].strip()
        elif line.startswith("usb:v"):
            ids = _modalias(line.strip())
            pending += [] if ids is None else [ids]
        elif line.startswith(" "):
            if line.strip() == "libsane_matched=yes":
                found.update(dict.fromkeys(pending, comment))
        else:
            pending = []
    return found


def _modalias(text: str) -> Ids | None:
    """Return the ids of ``usb:v03F0p0101*``, None for a pattern of something else."""
    vendor, marker, product = text.removeprefix("usb:v").partition("p")
    try:
        return (int(vendor, 16), int(product.rstrip("*"), 16)) if marker else None
    except ValueError:
        return None


def read_installed(folders: Sequence[str] = UDEV_FOLDERS) -> Mapping[Ids, str]:
    """Return the scanners of the distribution's hardware database, {} without one."""
    for folder in folders:
        try:
            with open(f"{folder}/{HWDB}", encoding="utf-8", errors="replace") as file:
                return read_hwdb(file.read())
        except OSError:
            continue
    return {}
