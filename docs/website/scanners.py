"""The table of supported scanners, made of what the drivers and the emulators know."""

from __future__ import annotations

import html
import importlib
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from .pages import Pages
from .places import DOCS, HERE, ROOT

REPORTS = DOCS / "hardware.toml"
WORDS = {  # how a model was tested: the word in the table, and what it stands for
    "hardware": "somebody has scanned with this very model, and reported it",
    "original": "this very model, emulated, was compared with the original driver, command by "
    "command and pixel by pixel",
    "family": "emulated scanners of its family were compared with the original driver; from those "
    "this model differs in what the driver's table says",
    "emulator": "an emulated scanner that says and does what this model is known to say and do",
}
PRETTY = {"CANON": "Canon", "FUJITSU": "Fujitsu", "Epson": "Epson", "EPSON": "Epson"}


@dataclass(frozen=True, order=True)
class Scanner:
    """A row of the table; *link* says how it is connected, *tested* is one of WORDS."""

    vendor: str
    model: str
    link: str
    driver: str
    tested: str
    note: str = ""


class Facts:
    """What a driver knows of its models beside USB ids; a driver without needs no class here."""

    network = False

    def models(self, product: int, name: str) -> list[str]:
        """Return all names of a product; *name* is the one that lists show."""
        del product
        return [name]

    def tested(self, product: int, model: str) -> str:
        del product, model
        return "family"

    def note(self, product: int) -> str:
        del product
        return ""


class Epson2(Facts):
    """epson2: which models have a network interface stands in its table."""

    def __init__(self) -> None:
        from sane.backends.epson2 import models

        parts = [row.split(None, 2) for row in models.rows(models.USB)]
        self.on_network = {int(product, 16): network for product, network, _ in parts}
        self.names = {int(product, 16): names.split(", ") for product, _, names in parts}

    def models(self, product: int, name: str) -> list[str]:
        return self.names[product]

    def note(self, product: int) -> str:
        known = {"Y": "also over the network", "P": "probably over the network as well"}
        return known.get(self.on_network.get(product, "-"), "")


class Pixma(Facts):
    """pixma: which models were emulated and compared."""

    network = True

    def __init__(self) -> None:
        from sane.backends.pixma import models
        from sane.testing.pixma import MODELS

        self.emulated = {model.product for model in MODELS.values()}
        self.first = models.BY_PRODUCT
        self.all = models.MODELS

    def models(self, product: int, name: str) -> list[str]:
        return [model.name for model in self.all if model.product == product]

    def tested(self, product: int, model: str) -> str:
        return "original" if product in self.emulated else "family"

    def note(self, product: int) -> str:
        model = self.first[product]
        found = [f"up to {model.dpi} dpi"] + (["feeder"] if model.has_feeder else [])
        return ", ".join(found + (["film"] if model.has("T") else []))


class Fujitsu(Facts):
    """fujitsu: what users told of the original driver, and what was emulated."""

    def __init__(self) -> None:
        from sane.backends.fujitsu import models
        from sane.testing.fujitsu.model import MODELS

        self.emulated = {model.product for model in MODELS.values()}
        self.told = {row[0]: row[2] for row in (*models.MODELS, *models.RICOH_MODELS)}

    def tested(self, product: int, model: str) -> str:
        return "original" if product in self.emulated else "family"

    def note(self, product: int) -> str:
        told = self.told[product]
        if told == "untested":
            return "users of the original driver have told nothing"
        return f"users of the original driver: {told}"


class Plustek(Facts):
    """plustek: which units were emulated."""

    def __init__(self) -> None:
        from sane.testing.plustek import MODELS

        self.emulated = {model.product for model in MODELS.values()}

    def tested(self, product: int, model: str) -> str:
        del model
        return "original" if product in self.emulated else "family"


FACTS: dict[str, type[Facts]] = {
    "epson2": Epson2,
    "fujitsu": Fujitsu,
    "pixma": Pixma,
    "plustek": Plustek,
}


def named(maker: str, model: str, *others: str) -> Scanner:
    """Return a row; what a maker is called is not said twice."""
    vendor = PRETTY.get(maker, maker)
    return Scanner(vendor, model.removeprefix(f"{vendor} "), *others)


def usb_scanners() -> list[Scanner]:
    """Return a row for each product id of each driver of the tree."""
    from sane.cli.drivers import usb_backends
    from sane.config import Environment

    nothing = Environment({"SANE_CONFIG_DIR": "/nonexistent"})
    found = []
    for name, backend in usb_backends(nothing).items():
        if not (ROOT / "backends" / name).exists():
            continue  # another package's
        facts = FACTS.get(name, Facts)()
        for vendor, product, maker, first in backend.usb_ids:
            link = f"USB {vendor:04x}:{product:04x}" + (", network" if facts.network else "")
            tested, note = facts.tested(product, first), facts.note(product)
            for model in facts.models(product, first):
                found.append(named(maker, model, link, name, tested, note))
    return found


def driverless_scanners() -> list[Scanner]:
    """Return the rows of eSCL and WS-Scan: any device, and the emulated ones by name."""
    from sane.testing.escl.presets import PRESETS

    airscan = "any that speaks eSCL: AirPrint, AirScan, Mopria"
    found = [
        Scanner("(any)", airscan, "network, USB by ipp-usb", "escl", "family"),
        Scanner("(any)", "any that speaks WS-Scan (WSD)", "network", "wsd", "family"),
    ]
    for name, preset in PRESETS.items():
        model = str(preset().model.name)
        vendor, _, rest = model.partition(" ")
        if name not in ("example", "feeder") and rest:
            vendor = PRETTY.get(vendor, vendor)
            found.append(Scanner(vendor, rest, "network, USB by ipp-usb", "escl", "emulator"))
    return found


def reports() -> dict[tuple[str, str], dict[str, str]]:
    """Return the reports of users by driver and model."""
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = toml.loads(REPORTS.read_text(encoding="utf-8"))
    return {(one["driver"], one["model"]): one for one in text.get("report", [])}


def scanners() -> list[Scanner]:
    """Return all rows in the order of the table; raises ValueError for a report without one."""
    told = reports()
    found = []
    for row in {*usb_scanners(), *driverless_scanners()}:
        report = told.pop((row.driver, row.model), None)
        if report is None:
            found.append(row)
        else:
            note = f"{report['result']} ({report['where']})"
            found.append(replace(row, tested="hardware", note=note))
    if told:
        raise ValueError(f"{REPORTS.name}: no driver has the models {sorted(told)}")
    return sorted(found, key=lambda row: (row.vendor.lower(), natural(row.model), row.driver))


def natural(model: str) -> list[tuple[int, str]]:
    """Return what *model* is sorted by: numbers count as such."""
    parts = re.findall(r"\d+|\D+", model.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def page_of(driver: str, folder: Path = DOCS) -> str:
    """Return the page about *driver*: its own, else its manual page, else none."""
    if (folder / f"{driver}.md").exists():
        return f"{driver}.html"
    is_there = (folder / "man" / f"sane-{driver}.5").exists()
    return f"man/sane-{driver}.5.html" if is_there else ""


def table_row(row: Scanner) -> str:
    """Return *row* in HTML."""
    page = page_of(row.driver)
    driver = f'<a href="{page}"><code>{row.driver}</code></a>' if page else row.driver
    cells = [html.escape(cell) for cell in (row.vendor, row.model, row.link)]
    tested = f'<span class="tested {row.tested}">{row.tested}</span>'
    cells += [driver, tested, html.escape(row.note)]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def add_scanners(pages: Pages) -> None:
    """Write the page with the table."""
    found = scanners()
    text = (HERE / "templates" / "scanners.md").read_text(encoding="utf-8")
    legend = "\n".join(f"| `{word}` | {meaning} |" for word, meaning in WORDS.items())
    counts = {word: sum(row.tested == word for row in found) for word in WORDS}
    text = text.replace("@LEGEND@", legend).replace("@COUNT@", str(len(found)))
    text = text.replace("@REPORTED@", str(counts["hardware"]))
    text = text.replace("@ORIGINAL@", str(counts["original"]))
    pages.write("scanners", text.replace("@ROWS@", "\n".join(map(table_row, found))))
