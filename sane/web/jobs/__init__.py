"""Scans of the page and of REST: what was asked, the job that does it, what became of it.

It knows scanners, documents and page work, and no HTTP.
"""
