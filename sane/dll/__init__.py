"""The dll meta backend: which backends there are, and which device belongs to whom."""
