"""What the server keeps: documents, one folder each, whole files only, for their owner's eyes.

Nothing here knows HTTP or scanners.
"""
