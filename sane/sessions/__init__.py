"""What serves a client of SANE's network protocol: who may come, what it may open, its frames."""
