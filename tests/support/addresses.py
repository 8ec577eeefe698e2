"""Clients and the lines of saned.conf that let them in or keep them out."""

from __future__ import annotations

# The matrix of net-protocol 8.6; a line that starts with a blank has one in the file, too.
ALLOW_V4 = (
    *("10.77.0.2", "10.77.0.0/24", "10.77.0.200/24", "10.77.0.2/99", "0.0.0.0/0", "+", "  +  "),
    *("+/8", "[10.77.0.2]", "10.77.0.002", "scanner.example", "SCANNER.Example"),
    "unknown.example\n10.77.0.2",
    # A comment behind a network: the original reads the number and no further.
    *("10.77.0.0/24 # home", "10.77.0.0/24# home", "10.77.0.0/24#home", "10.77.0.0/24\t# t"),
    *("10.77.0.0/ 24 # x", "+/8 # x", "10.77.0.2/99 # c", "10.77.0.2/ # c", "[10.77.0.2] # c"),
    "elsewhere.example\nscanner.example",
)
DENY_V4 = (
    *("", "10.77.0.0/32", "10.77.0.0/33", "10.77.0.0/255.255.255.0", "10.77.0.0/"),
    # These the original keeps out too, whatever the comment was to say.
    *("10.77.0.0/ # all", "10.77.0.0/#24", "0.0.0.0/ # x", "+ # all", "+#", "10.77.0.2# c"),
    *("10.77.0.0/33 # c", "10.77.0.0 /24 # c", "10.77.0.0/24 # a=b", "scanner.example # c"),
    *("10.77.0.2 # c", "10.77.0.2=1", "10.77.0.*", "*", "scanner.example/24", "10.77.0"),
    *("-10.77.0.2", "+ 10.77.0.2", "::ffff:10.77.0.2", "# 10.77.0.2", "fd00:77::/0", "::/0"),
    *("elsewhere.example", "unknown.example", "10.77.0.3", "10.77.0.0/-1", "10.77.0.0/00024 x"),
)
ALLOW_V6 = (
    *("[fd00:77::2]", "fd00:77::2", "FD00:77::2", "fd00:77:0:0:0:0:0:2", "[fd00:77::]/64"),
    *("[fd00:77::]/64 # c", "fd00:77::/64 # c", "[fd00:77::2] # c", "[fd00:77::2]# c"),
    *("[fd00:77::99]/64", "fd00:77::/64", "::/0", "+", "scanner.example", "[fd00:77::2]/129"),
)
DENY_V6 = (
    *("[fd00:77::/64]", "[fd00:77::]/128", "[fd00:77::]/129", "[fd00:77::2", "0.0.0.0/0"),
    *("fd00:77::2 # c", "[fd00:77::]/128 # c"),
    *("fd00:78::/32", "[fd00:77::3]", "10.77.0.2"),
)
ALLOW_MAPPED = (
    *("10.77.0.2", "10.77.0.0/24", "scanner.example", "[::ffff:10.77.0.2]"),
    *("[::ffff:10.77.0.0]/120", "::/0", "0.0.0.0/0"),
)
DENY_MAPPED = ("[::ffff:10.77.1.0]/120", "10.77.0.3", "fd00:77::2")
