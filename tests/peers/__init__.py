"""Our libraries beside the distribution's: the same calls, the same answers."""
