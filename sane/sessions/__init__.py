"""What serves a client of SANE's network protocol: who may come, what it may open, its frames."""

# The levels of what a session tells its log.
ERROR, CLIENT, MESSAGE, INFO, DEBUG = range(1, 6)
