"""The forms and workflows of the forge: each is whole, and asks for what a report needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT

FORGE = ROOT / ".github"
if not FORGE.is_dir():
    pytest.skip("a source archive has no forms", allow_module_level=True)
FORMS = sorted(path for path in (FORGE / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
ABOUT_SCANNERS = {"scanner-does-not-work", "scanner-works", "bug"}


def form(path: Path) -> Any:
    return pytest.importorskip("yaml").safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_what_the_forge_wants(path: Path) -> None:
    found = form(path)
    assert found["name"]
    assert found["description"]
    fields = [field for field in found["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids)) > 0
    assert all(field["attributes"]["label"] for field in fields)


@pytest.mark.parametrize("name", sorted(ABOUT_SCANNERS))
def test_a_report_has_the_session_and_what_the_doctor_says(name: str) -> None:
    fields = {
        field.get("id"): field for field in form(FORGE / "ISSUE_TEMPLATE" / f"{name}.yml")["body"]
    }
    assert "pysane doctor --json" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"]["required"]
    assert "PYSANE_USB_RECORD" in fields["session"]["attributes"]["description"]


@pytest.mark.parametrize("path", sorted((FORGE / "workflows").glob("*.yml")), ids=lambda p: p.stem)
def test_a_workflow_runs_what_the_makefile_has(path: Path) -> None:
    jobs = form(path)["jobs"]
    assert jobs
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for job in jobs.values():
        for step in job.get("steps", ()):  # a job may be another workflow
            for goals in re.findall(r"^make ([a-z -]+)$", step.get("run", ""), re.M):
                assert set(goals.split()) <= targets, goals
