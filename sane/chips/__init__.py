"""What scanners need whose chip the host drives: steps of the motor, calibrations that are kept."""
