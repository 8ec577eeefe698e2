"""Makes Debian packages of a folder with files: which file goes where, and what dpkg must know."""
