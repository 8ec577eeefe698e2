"""What the drivers of scanners that need no driver share: eSCL and WS-Scan."""
