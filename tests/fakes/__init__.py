"""Stand-ins for what lies at the rims: devices, clocks."""
