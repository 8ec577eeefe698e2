"""Shares scanners with every device in the network: an eSCL server, a web page and REST.

An extra (``web``). The server is one asyncio loop and never touches SANE: worker processes do.
"""
