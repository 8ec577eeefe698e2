"""Tests of the page as it lies in its folder: no browser."""
