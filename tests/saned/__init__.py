"""Tests of the daemon: its command line, sockets and processes."""
