"""The table of supported scanners is what drivers, emulators and reports say."""

from __future__ import annotations

from pathlib import Path

import pytest
from website import scanners
from website.pages import Pages

from tests import ROOT

ROWS = scanners.scanners()


def test_every_product_of_every_driver_is_in_the_table() -> None:
    from sane.cli.drivers import usb_backends
    from sane.config import Environment

    links = {(row.driver, row.link.partition(",")[0]) for row in ROWS}
    for name, backend in usb_backends(Environment({"SANE_CONFIG_DIR": "/nonexistent"})).items():
        for vendor, product, *_ in backend.usb_ids:
            assert (name, f"USB {vendor:04x}:{product:04x}") in links


def test_models_that_share_a_product_id_have_a_row_each() -> None:
    found = {row.model: row for row in ROWS if row.link.startswith("USB 04b8:0110")}
    assert {"GT-8200U", "Perfection 1650", "Perfection 1650 Photo"} <= set(found)
    assert found["Perfection 1650"].vendor == "Epson"


def test_a_model_that_was_emulated_says_so() -> None:
    by_model = {row.model: row for row in ROWS}
    assert by_model["fi-7160"].tested == "original"
    assert by_model["fi-6110"].tested == "family"
    assert {row.tested for row in ROWS} <= set(scanners.WORDS)


def test_a_report_stands_in_the_row_of_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = '[[report]]\ndriver = "epson2"\nmodel = "Perfection 1650"\nresult = "works"\n'
    monkeypatch.setattr(scanners, "REPORTS", tmp_path / "hardware.toml")
    scanners.REPORTS.write_text(told + 'where = "issue 12"\n')
    (row,) = [row for row in scanners.scanners() if row.tested == "hardware"]
    assert (row.model, row.note) == ("Perfection 1650", "works (issue 12)")
    scanners.REPORTS.write_text(told.replace("1650", "1651") + 'where = "issue 12"\n')
    with pytest.raises(ValueError, match="Perfection 1651"):
        scanners.scanners()


def test_the_page_has_a_row_for_each_and_leads_to_the_drivers(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    scanners.add_scanners(pages)
    text = (tmp_path / "scanners.md").read_text()
    assert text.count("<tr><td>") == len(ROWS)
    assert '<a href="pixma.html"><code>pixma</code></a>' in text
    assert '<a href="man/sane-epson2.5.html"><code>epson2</code></a>' in text
    assert "@" not in text


@pytest.mark.parametrize("name", sorted({row.driver for row in ROWS}))
def test_every_driver_has_a_page(name: str) -> None:
    assert scanners.page_of(name), name
    assert (ROOT / "backends" / name).exists()
