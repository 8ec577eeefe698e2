"""Tests of sane.image."""
