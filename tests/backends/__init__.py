"""Tests of the backends, one file per subject."""
