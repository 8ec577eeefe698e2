"""The documentation site: its pages, its tables, its pictures, and that what it shows runs."""
