"""SANE's network protocol without I/O: what its messages hold, how they are laid out, their order.

Here: how a server is found. Source: net-protocol 1 and 8.9.
"""

SERVICE = "sane-port"  # in /etc/services
PORT = 6566  # where the system does not know the service
DNSSD_TYPE = "_sane-port._tcp"
