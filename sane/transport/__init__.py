"""Bytes over the network: every wait has an end, a cancelled one ends at once, no SIGPIPE."""

PORT_MAX = 0xFFFF
