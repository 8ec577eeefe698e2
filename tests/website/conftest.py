"""Lets tests import docs/website."""

from __future__ import annotations

import sys

from tests import ROOT

sys.path.append(str(ROOT / "docs"))
