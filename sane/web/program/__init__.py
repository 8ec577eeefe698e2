"""The program: its process, its settings from file and command line, and --check."""
