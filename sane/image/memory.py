"""Memory for whole pages, which is taken as it is filled and given back bit by bit.

It knows how the system deals with memory, and nothing of pictures.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap

    Memory = bytearray | mmap


def pages(size: int) -> Memory:
    """Return *size* bytes of zeros: pages of memory that are there once they are written."""
    if not size:
        return bytearray()
    from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

    return mmap(-1, size, flags=MAP_PRIVATE | MAP_ANONYMOUS)


def let_go(memory: Memory, size: int) -> None:
    """Give the first *size* bytes of pages() back: they are zeros then. A bytearray stays."""
    if isinstance(memory, bytearray):
        return
    from mmap import MADV_DONTNEED, PAGESIZE

    if whole := size // PAGESIZE * PAGESIZE:
        memory.madvise(MADV_DONTNEED, 0, whole)
