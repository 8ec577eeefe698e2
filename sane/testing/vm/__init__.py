"""A small virtual machine with the distribution's kernel, for end-to-end tests of USB drivers.

kernel.py fetches and unpacks the kernel, initramfs.py packs what boots, machine.py runs it. The
guest's root is the host's, read-only, below a file system in memory and below any layers: what
`make install DESTDIR=...` wrote, for instance.
"""
