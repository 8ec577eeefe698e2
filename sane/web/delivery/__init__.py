"""Documents on their way to a destination: kept until they are there, tried again and again.

queue.py is the server's side and kinds.py says what a destination may be; sending happens in a
process of its own (__main__.py), so that neither a slow peer nor a kill of the server harms more
than one attempt.
"""
