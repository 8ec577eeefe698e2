"""pysane doctor: why a scanner is not found, or does not scan, and what repairs it.

A check (checks.py) asks a machine (machine.py) and yields findings (finding.py); one file for each
area knows what to ask. program.py puts them together, main.py is the command, and report.py
tells what was found.
Source: python-api-and-cli 12.6.
"""

from __future__ import annotations

from .main import main

__all__ = ["main"]
