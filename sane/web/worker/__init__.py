"""The worker: a process that lists the scanners, or holds one open for the web server.

It speaks SANE's network protocol on a socket pair, as saned does in the network, and two requests
more (sane.wire.private). It imports neither the server's modules nor NumPy, so that it stays small,
and whatever a driver does, it costs this process only. Image data goes through a socket pair of
each frame's own, whose other end is sent through the *channel*, a second socket pair.
"""
