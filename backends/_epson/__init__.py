"""What the drivers of Epson scanners share: the ways to a scanner. No backend itself."""
