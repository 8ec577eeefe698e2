"""A program of python-sane: scan pages, print bytes per CPU second and the peak of memory.

It runs with python-sane and with ours. Arguments: dpi, arr_scan or scan, rounds.
"""

import resource
import sys
import time

import numpy  # noqa: F401 - not to be counted
import PIL.Image  # noqa: F401 - likewise

import sane

dpi, call, rounds = float(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sane.init()
device = sane.open("test:0")
device.mode, device.test_picture, device.resolution = "Color", "Color pattern", dpi
device.br_x, device.br_y = 200.0, 200.0
width, lines = device.get_parameters()[2]
size = 3 * width * lines
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = []
for _ in range(rounds):
    begin, wall = time.process_time(), time.monotonic()
    page = getattr(device, call)()
    found.append((time.process_time() - begin, time.monotonic() - wall))
    del page
peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
middle = sorted(found)[len(found) // 2]
print("cpu", size / middle[0])
print("wall", size / middle[1])
print("peak", peak / size)
