"""Tests of the dll meta backend."""
