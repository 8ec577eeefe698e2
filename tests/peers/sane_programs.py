"""Programs that use python-sane in the ways of those that people have (python-api 7).

Each was written for this file, after what a known program touches, and prints what it sees. They
use the test device; what python-sane does wrong is left out. An original test device that is
cancelled within milliseconds of its start may hang: sleeps of 50 ms are for it.
"""

from __future__ import annotations

START = """
import sys, time, hashlib
def seen(image):
    return image.size, image.mode, hashlib.md5(image.tobytes()).hexdigest()
def tried(call, *arguments, **words):
    try:
        found = call(*arguments, **words)
    except Exception as exc:
        found = (type(exc).__module__, type(exc).__name__, exc.args)
    print(getattr(call, "__name__", "?"), found)
"""

PROGRAMS = {
    "example": """
import sane
depth, mode = 8, "color"
print(len(sane.init()))
devices = sane.get_devices()
print([tuple(device) for device in devices])
dev = sane.open(devices[0][0])
params = dev.get_parameters()
for name, value in (("depth", depth), ("mode", mode), ("br_x", 320.0), ("br_y", 240.0)):
    try:
        setattr(dev, name, value)
    except Exception as exc:
        print("Cannot set", name, exc)
print(params, dev.get_parameters(), dev.x_resolution if hasattr(dev, "x_resolution") else None)
dev.start()
print(seen(dev.snap()))
dev.start()
array = dev.arr_snap()
print(array.shape, array.dtype, array.flags.writeable, int(array.sum()))
dev.close()
""",
    "scantpaper": """
import gc, queue, threading
import sane
from _sane import (CAP_ADVANCED, CAP_AUTOMATIC, CAP_EMULATED, CAP_HARD_SELECT, CAP_INACTIVE,
    CAP_SOFT_DETECT, CAP_SOFT_SELECT, CONSTRAINT_NONE, CONSTRAINT_RANGE, CONSTRAINT_STRING_LIST,
    CONSTRAINT_WORD_LIST, FRAME_BLUE, FRAME_GRAY, FRAME_GREEN, FRAME_RED, FRAME_RGB, INFO_INEXACT,
    INFO_RELOAD_OPTIONS, INFO_RELOAD_PARAMS, OPTION_IS_ACTIVE, OPTION_IS_SETTABLE, RELOAD_PARAMS,
    SANE_WORD_SIZE, TYPE_BOOL, TYPE_BUTTON, TYPE_FIXED, TYPE_GROUP, TYPE_INT, TYPE_STRING,
    UNIT_BIT, UNIT_DPI, UNIT_MICROSECOND, UNIT_MM, UNIT_NONE, UNIT_PERCENT, UNIT_PIXEL)
jobs, answers = queue.Queue(), queue.Queue()
def set_option(dev, name, value):
    option = dev.__dict__["opt"][name]
    if option.type == TYPE_FIXED:
        value = float(value)
    info = dev.__dict__["dev"].set_option(option.index, value)
    if info & INFO_RELOAD_OPTIONS and not hasattr(dev, "__load_option_dict"):
        dev._SaneDev__load_option_dict()
    return info
def worker():
    dev = None
    while True:
        what, *args = jobs.get()
        if what == "stop":
            return
        if what == "open":
            dev = sane.open(*args)
            answers.put([(row[0], row[1], row[4:]) for row in dev.get_options()])
        elif what == "set":
            answers.put(set_option(dev, *args))
        elif what == "scan":
            rows = []
            dev.start()
            image = dev.snap(no_cancel=True, progress=lambda now, all: rows.append((now, all)))
            answers.put((seen(image), len(rows), rows[-1]))
        elif what == "close":
            dev.close()
            answers.put(None)
thread = threading.Thread(target=worker)
thread.start()
sane.init()
for job in (("open", "test:0"), ("set", "mode", "Color"), ("set", "resolution", 75),
        ("set", "depth", 8), ("set", "resolution", 75.5), ("scan",), ("scan",), ("close",)):
    jobs.put(job)
    print(job, answers.get(timeout=30))
jobs.put(("stop",))
thread.join()
gc.collect()
sane.exit()
""",
    "web server": """
import sane
from enum import IntEnum
from itertools import starmap
Type = IntEnum("Type", {name: number for number, name in sane.TYPE_STR.items()})
Unit = IntEnum("Unit", {name: number for number, name in sane.UNIT_STR.items()})
print(list(Type), list(Unit))
def listing():
    sane.exit()
    sane.init()
    return list(starmap(lambda name, *rest: (name, rest), sane.get_devices(localOnly=True)))
print(listing(), listing() == listing())
with sane.open("test:0") as device:
    options = [sane.Option(row, device) for row in device.get_options()]
    for option in options:
        if Type(option.type) is not Type.TYPE_GROUP:
            print(option.py_name, option.is_active(), option.is_settable(), Unit(option.unit).name)
    device.mode = "Color"
    calls = []
    with device.scan(lambda row, rows: calls.append(row)) as image:
        print(image.getbbox(), seen(image.crop((0, 0, 10, 10))), len(calls))
try:
    sane.open("test:99")
except sane._sane.error as exc:
    print(exc, exc.args)
""",
    "saneless": """
import multiprocessing, sane
def child(pipe, work, *arguments):
    try:
        sane.init()
        pipe.send(("done", work(*arguments)))
    except Exception as exc:
        pipe.send(("failed", str(exc)))
    finally:
        sane.exit()
def listed():
    return [tuple(device) for device in sane.get_devices()]
def scanned(name, source, count):
    device = sane.open(name)
    try:
        device.source = source
        pages = []
        for page in device.multi_scan():
            pages.append(seen(page))
            if len(pages) == count:
                break
        return pages
    finally:
        device.close()
def in_child(*work):
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=child, args=(there, *work))
    process.start()
    assert here.poll(30)
    answer = here.recv()
    process.join()
    return answer, process.exitcode
print(in_child(listed))
print(in_child(scanned, "test:0", "Automatic Document Feeder", 3))
print(in_child(scanned, "test:0", "Automatic Document Feeder", 20)[0][0])
print(in_child(scanned, "test:77", "Flatbed", 1))
""",
    "film negatives": """
import sane
sane.init()
device = sane.open("test:0")
device.mode, device.depth, device.test_picture = "Color", 16, "Color pattern"
corner, other = device.area
device.tl_x, device.tl_y, device.br_x, device.br_y = 10.0, 10.0, 60.0, 50.0
print(corner, other, device.area, device.get_parameters()[3])
rows = []
device.start()
last_frame = device.get_parameters()[1]
page = device.arr_snap(lambda row, total: rows.append(row))
print(last_frame, page.shape, page.dtype, int(page.astype("u8").sum()), rows[-1])
device.mode = "Gray"
device.start()
infrared = device.arr_snap()
print(infrared.shape, int(infrared[:, :, 0].astype("u8").sum()))
device.close()
""",
    "scanvark": """
import sane, _sane
class Device(sane.SaneDev):
    def get_parameters(self):
        return sane.SaneDev.get_parameters(self)[:3]
    def snap(self, no_cancel=False):
        self.__dict__["snaps"] = self.__dict__.get("snaps", 0) + 1
        return sane.SaneDev.snap(self, no_cancel)
sane.init()
device = Device("test:0")
device.source = "Automatic Document Feeder"
index = device["hand_scanner"].index
print([device.__dict__["dev"].get_option(index) for _ in range(3)])
pages = 0
while True:
    try:
        device.start()
        device.snap(True)
        pages += 1
    except Exception as exc:
        exc_type = type(exc)
        if exc_type == _sane.error and str(exc) == "Document feeder out of documents":
            break
        raise
device.cancel()
print(pages, device.snaps, device.get_parameters())
device.close()
""",
    "scanhelper": """
import _sane as sane
print(len(sane.init()))
for name, vendor, model, kind in sane.get_devices():
    print(name, vendor, model, kind)
device = sane._open("test:0")
found = []
for index, name, title, desc, kind, unit, size, cap, constraint in device.get_options():
    if cap & sane.CAP_HARD_SELECT:
        found.append((index, name, kind, unit, size, cap, constraint))
print(found)
print(sane.OPTION_IS_ACTIVE(32), sane.OPTION_IS_ACTIVE(5), sane.OPTION_IS_SETTABLE(6))
for index in (0, 2, 3, 4, 7, 1, 22, 999, -1):
    tried(device.get_option, index)
for index, value in ((2, "Color"), (3, 9), (7, 75), (7, 75.0), (1, 0), (22, 1), (999, 1), (0, 5)):
    tried(device.set_option, index, value)
for index in (2, 999):
    tried(device.set_auto_option, index)
device.start()
data, width, lines, samples, size = device.snap()
print(type(data).__name__, width, lines, samples, size, hashlib.md5(data).hexdigest())
device.close()
for call in (device.start, device.snap, device.get_options, device.close):
    tried(call)
sane.exit()
""",
    "ocr for the blind": """
import sane
sane.init()
device = sane.open("test:0")
def search(name):
    for row in device.get_options():
        if row[1] == name:
            return row
print(search("mode")[8], search("brightness"), search("resolution")[-1][0])
for name in ("brightness", "threshold"):
    try:
        setattr(device, name, 50)
        print(name, getattr(device, name), name in device.opt)
    except sane._sane.error as exc:
        print(name, exc)
device.resolution = search("resolution")[-1][0] + 74
device.start()
print(seen(device.snap()))
device.close()
""",
    "paperwork": """
import sane
sane.init()
device = sane.open(sane.get_devices()[0][0])
for name in ("resolution", "source", "mode"):
    option = device[name]
    print(option.name, option.index, option.type, option.unit, option.size, option.cap,
          option.constraint, option.py_name, getattr(device, name))
try:
    device.source = "ADF"
except sane._sane.error as exc:
    print(exc)
device.resolution = 300
print(device.resolution)
device.resolution = 60
device.start()
print(seen(device.snap()))
""",
    "tkinter": """
import sane
sane.init()
choices = [device[0] for device in sane.get_devices()]
device = sane.open(choices[1])
print(choices, device.devname, tuple(device.sane_signature), device.scanner_model)
device.source = "Automatic Document Feeder"
pages = device.multi_scan()
images = []
while True:
    try:
        images.append(pages.__next__())
    except StopIteration:
        break
print(len(images), {seen(image) for image in images})
device.close()
""",
    "ansheet": """
import numpy, sane
sane.init()
device = sane.open("test:0")
for source in ("ADF Back", "ADF", "Automatic Document Feeder"):
    try:
        device.source = source
    except Exception as exc:
        print(source, type(exc).__name__, exc)
device.mode = "Color"
page = device.arr_scan()
page[0, 0] = 7
gray = numpy.ascontiguousarray(page[:, :, ::-1]).mean(axis=2).astype("uint8")
print(page.shape, page[0, 0].tolist(), page.flags.c_contiguous, int(gray.sum()))
device.close()
""",
    "archivist": """
import sane
from enum import IntEnum
SaneError = sane._sane.error
class Field(IntEnum):
    INDEX, NAME, TITLE, DESC, TYPE, UNIT, SIZE, CAP, CONSTRAINT = range(9)
class Parameter(IntEnum):
    FORMAT, LAST, SIZE, DEPTH, BYTES = range(5)
sane.init()
opened = {}
def get(name):
    if name not in opened:
        opened[name] = sane.open(name)
    return opened[name]
device = get("test:0")
print(get("test:0") is device)
for row in device.get_options()[:12]:
    print(type(row).__name__, row[Field.INDEX], row[Field.NAME], row[Field.CONSTRAINT])
parameters = device.get_parameters()
print(type(parameters).__name__, parameters[Parameter.SIZE], parameters[Parameter.FORMAT])
try:
    sane.open("test:0")
except SaneError as exc:
    print(exc)
for device in opened.values():
    device.close()
""",
    "polling": """
from io import BytesIO
from sane import _sane
import sane
sane.init()
device = sane.open("test:0")
device.source = "Automatic Document Feeder"
pages = []
for _ in range(14):
    try:
        device.start()
    except _sane.error as exc:
        pages.append(str(exc))
        continue
    data = BytesIO()
    device.snap(True).save(data, "PPM" if device is None else "BMP")
    pages.append(len(data.getvalue()))
print(pages)
device.cancel()
device.close()
""",
    "smth": """
import _sane, sane
from unittest import mock
def opened(name: str) -> sane.SaneDev:
    return sane.open(name)
sane.init()
with mock.patch("sane.open", side_effect=_sane.error("Device busy")):
    try:
        opened("test:0")
    except _sane.error as exc:
        print(repr(exc))
with mock.patch.object(sane.SaneDev, "scan", lambda self: "patched"):
    with opened("test:0") as device:
        print(device.scan())
with opened("test:0") as device:
    device.resolution = 100
    print([seen(device.scan()) for _ in range(2)])
""",
    "imagescanner": """
import sane
class Manager:
    def __init__(self):
        self.devices, self.names = [], []
        sane.init()
    def refresh(self):
        for device in self.devices:
            device.close()
        sane.exit()
        sane.init()
        self.names = [device[0] for device in sane.get_devices()]
        self.devices = [sane.open(name) for name in self.names]
        return self.names
manager = Manager()
print(manager.refresh(), manager.refresh())
print([seen(device.scan()) for device in manager.devices])
print(manager.refresh(), [device.mode for device in manager.devices])
""",
    "notebooks": """
import sane
sane.init()
name, vendor, model, kind = sane.get_devices()[0]
device = sane.open(name)
for key, value in {"mode": "Color", "resolution": 72, "test_picture": "Grid", "typo": 1}.items():
    device.__setattr__(key, value)
print(device.typo, device.optlist[:5], len(device.opt), vendor, model, kind)
device.source = "Automatic Document Feeder"
pages = list(device.multi_scan())
print(len(pages), pages[0].reduce(2).size, pages[0].histogram()[:3])
device.source = "Flatbed"
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    device.scan().save(os.path.join(folder, "page.png"))
    print(os.listdir(folder))
device.close()
""",
    "monkey patchers": """
import sane
sane.SaneDev.acquire = sane.SaneDev.scan
original = sane.SaneDev.snap
def snap(self, no_cancel=False, progress=None):
    image = original(self, no_cancel, progress)
    return image.rotate(180)
sane.SaneDev.snap = snap
sane.init()
with sane.open("test:0") as device:
    print(seen(device.acquire()), seen(device.scan()))
print(sane._SaneIterator.__name__, sane.Option.__name__, sane.SaneDev.__name__)
""",
    "cancels": """
import sane, threading
sane.init()
device = sane.open("test:0")
device.resolution, device.read_delay, device.read_delay_duration = 1200, 1, 200000
def cancel():
    time.sleep(0.05)
    device.cancel()
for _ in range(2):
    device.start()
    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        device.snap()
    except (sane._sane.error, RuntimeError):  # the original says at times that there is no data
        print("canceled")
    thread.join()
device.read_delay = 0
device.resolution = 50
def at_5(row, rows):
    if row == 5:
        time.sleep(0.05)
        device.cancel()
tried(device.scan, at_5)
print(seen(device.scan()))
tried(device.snap)
device.cancel()
device.cancel()
device.close()
""",
    "errors": """
import sane, _sane
sane.init()
tried(sane.open, None)
tried(sane.open, b"test")
tried(sane.open, 5)
tried(sane.open)
tried(sane.open, "a\\0b")
tried(sane.get_devices, None)
tried(sane.get_devices, "x")
tried(_sane.get_devices, 1, 2)
tried(_sane.init, 1)
tried(_sane._open)
for _ in range(2):
    tried(sane.open, "nobody:0")
device = sane.open("test:0")
tried(type(device.dev))
tried(device.dev.get_parameters, 1)
tried(device.dev.get_option)
tried(device.dev.get_option, "mode")
tried(device.dev.snap, 1, 2, 3, 4)
tried(device.fileno)
for status in ("UNSUPPORTED", "CANCELLED", "DEVICE_BUSY", "INVAL", "EOF", "JAMMED", "NO_DOCS",
               "COVER_OPEN", "IO_ERROR", "NO_MEM", "ACCESS_DENIED"):
    device.read_return_value = "SANE_STATUS_" + status
    tried(device.scan)
device.read_return_value = "Default"
for progress in (0, "", ()):
    tried(device.snap, False, progress)
for name in ("dev", "optlist", "area", "sane_signature", "scanner_model", "print_options",
             "three_pass", "", "mode", "depth", "resolution", "hand_scanner"):
    for value in (1, "x", None, 2.5, b"y", True):
        tried(setattr, device, name, value)
    if name != "dev":
        tried(getattr, device, name)
for name in ("tl-x", "nothing", 0):
    tried(device.__getitem__, name)
tried(delattr, device, "mode")
print(sorted(vars(device)), [name for name in dir(device) if not name.startswith("_")])
device.close()
device.close()
tried(device.get_parameters)
tried(getattr, device, "mode")
print(device.optlist[:2], device["mode"].is_active(), device.devname)
""",
    "options": """
import sane
sane.init()
device = sane.open("test:0")
device.enable_test_options = True
for key, option in device.opt.items():
    text = repr(option) if option.type != 4 and key != "bool_hard_select" else "cannot be shown"
    print([line for line in text.split("\\n") if not line.startswith(("Desc", "Solid", "Color pat",
          "Grid"))])
for name, values in {
    "int": (5, -5, True, 2**31 - 1), "int_constraint_range": (0, 5, 500), "int_inexact": (5,),
    "int_constraint_word_list": (7, 60, -40), "fixed": (1, 2.5, -2.25, 0.00001),
    "fixed_constraint_range": (3.0, 4.9, -1.0), "fixed_constraint_word_list": (17.0, 40, 200.0),
    "string": ("abc", "", "a\\0b", "\\xe9", "x" * 120),
    "string_constraint_string_list": ("First entry", "first entry", "Sec", "none"),
    "bool_soft_select_soft_detect": (True, 0, 1, 2), "bool_hard_select_soft_detect": (1,),
    "bool_soft_detect": (1,), "bool_hard_select": (0,), "depth": (5, 12, 100),
    "bool_soft_select_soft_detect_auto": (1,), "mode": ("gray", "color", "Col", "Lineart"),
    "resolution": (100.5, 100, 5000.0, -1.0, 1199.99), "br_x": (300.0, -5.0, 33.3),
}.items():
    for value in values:
        tried(setattr, device, name, value)
        tried(getattr, device, name)
index = device["bool_soft_select_soft_detect_auto"].index
print(device.dev.set_auto_option(index), device.bool_soft_select_soft_detect_auto)
print([row[:2] + row[4:] for row in device.get_options()])
device.close()
""",
    "frames": """
import sane
sane.init()
device = sane.open("test:0")
device.br_x, device.br_y, device.test_picture = 77.0, 33.0, "Color pattern"
for mode in ("Gray", "Color"):
    device.mode = mode
    for depth in (1, 8, 16):
        device.depth = depth
        array = device.arr_scan()
        print(mode, depth, array.shape, array.dtype, hashlib.md5(array.tobytes()).hexdigest())
        if depth < 16:
            print(seen(device.scan()))
device.mode, device.depth, device.hand_scanner = "Gray", 8, 1
rows = []
print(seen(device.scan(lambda row, total: rows.append((row, total)))), rows[0], rows[-1])
print(device.arr_scan().shape, device.get_parameters())
device.hand_scanner = 0
device.start()
print(device.get_parameters())
tried(getattr, device, "mode")
print(seen(device.snap(no_cancel=True)))
tried(device.snap, True)
tried(getattr, device, "mode")
device.cancel()
image = device.scan()
print(image.format, image.info)
device.close()
""",
}
