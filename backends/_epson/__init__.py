"""What the drivers of Epson scanners share: the ways to a scanner. No backend itself."""

PORT = 1865  # of a scanner on the network
