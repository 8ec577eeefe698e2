"""Page work in a process of its own: the server never holds a page's pixels, nor their libraries.

client.py is the server's side, __main__.py the process: a request a line, an answer a line, JSON.
"""
