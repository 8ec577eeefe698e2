"""Tests of PySANE; the layout mirrors sane/ and backends/."""
