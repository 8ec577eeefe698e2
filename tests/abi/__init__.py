"""C programs against our headers and libraries."""
