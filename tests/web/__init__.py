"""Tests of the server: eSCL, REST, the page."""
