"""What the lines of walk_python.py are made of: names, values, arguments, expressions.

In expressions D is the device, N the name of an option, and K that name in quotes.
"""

from __future__ import annotations

NAMES = {
    0: "", 2: "mode", 3: "depth", 4: "hand_scanner", 5: "three_pass", 6: "three_pass_order",
    7: "resolution", 8: "source", 10: "test_picture", 11: "invert_endianess", 12: "read_limit",
    13: "read_limit_size", 14: "read_delay", 15: "read_delay_duration", 16: "read_return_value",
    17: "ppl_loss", 18: "fuzzy_parameters", 19: "non_blocking", 20: "select_fd",
    21: "enable_test_options", 22: "print_options", 24: "tl_x", 25: "tl_y", 26: "br_x", 27: "br_y",
    29: "bool_soft_select_soft_detect", 30: "bool_hard_select_soft_detect",
    31: "bool_hard_select", 32: "bool_soft_detect", 33: "bool_soft_select_soft_detect_emulated",
    34: "bool_soft_select_soft_detect_auto", 36: "int", 37: "int_constraint_range",
    38: "int_constraint_word_list", 39: "int_constraint_array",
    40: "int_constraint_array_constraint_range", 41: "int_constraint_array_constraint_word_list",
    42: "int_inexact", 43: "red_gamma_table", 44: "green_gamma_table", 45: "blue_gamma_table",
    46: "gamma_table", 48: "fixed", 49: "fixed_constraint_range",
    50: "fixed_constraint_word_list", 52: "string", 53: "string_constraint_string_list",
    54: "string_constraint_long_string_list", 56: "button",
}  # fmt: skip
ATTRIBUTES = ("dev", "optlist", "area", "sane_signature", "scanner_model", "devname", "nothing",
    "tl-x", "Mode", "_x", "note", "opt", "print-options", "snap", "close", "__dict__",
    )  # fmt: skip
SETTABLE = ("dev", "optlist", "area", "sane_signature", "scanner_model", "nothing", "tl-x", "Mode",
    "_x", "note")  # fmt: skip

WRONG = ("None", "1.5", "'x'", "b'y'", "()", "[]", "{}", "True", "2", "-1", "[1, 2]", "''", "1j",
    "sane", "'\\u20ac'", "'a\\0b'", "'\\xe9'", "float('1e4')", "'x' * 300", "0",
    "'\\ud800'", "object", "range(3)", "bytearray(b'x')", "(1,)")  # fmt: skip
NUMBERS = ("0", "-1", "57", "999", "True", "None", "'1'", "1.0", "2**31 - 1", "2**31", "-2**31",
    "-2**31 - 1", "2**63", "2**70", "[]", "1", "22", "-2**63 - 1")  # fmt: skip
ARGUMENTS = ("", "1", "None", "1, 2", "1, 2, 3", "1, 2, 3, 4", "x=1", "*[]")
OF_SNAP = ("5", "1, 5", "progress=0", "progress=''", "None, ()", "x=1", "1, 2, 3, 4", "'x'", "1.5",
    "2**40", "-1, 5", "[], 5", "None", "None, None, 5", "1, 'x', 5", "1, 1, 5")  # fmt: skip
OF_SET = ("", "1", "2", "2, 'Gray', 3", "index=1", "'mode', 1", "None", "2, None", "7, 50")
TUPLES = ("()", "None", "(1, 'a-b', 't', 'd', 1, 2, 4, 5, None)", "(1, 'x')", "5", "'abcdefghi'",
    "(1, None, 't', 'd', 3, 0, 4, 37, ['x'])", "(1, 'a-b', 't', 'd', 9, 9, 4, 32, None)",
    "(1, 5, '', '', 5, 0, 0, 0, None, 10)", "[1, 'l', 't', 'd', 1, 2, 4, 32, (1, 2, 3)]",
    "(1, 'a', 2, 3, 1, 1, 1, 'x', 1)", "{}", "range(9)", "(1, 'a', 2, 3, 1, 1, 1, 2**70, 1)",
    "(2, 'mode', 't', 'd', 3, 0, 4, 1, None)",
    )  # fmt: skip

LOW = ("get_parameters", "get_options", "get_option", "set_option", "set_auto_option", "start",
    "cancel", "fileno", "close", "snap", "nothing")  # fmt: skip
HIGH = ("get_parameters", "get_options", "start", "cancel", "multi_scan", "fileno", "close",
    "scan", "snap", "arr_snap", "arr_scan", "__exit__", "__enter__")  # fmt: skip

FUNCTIONS = ("sane.open()", "sane.exit(1)", "sane.get_devices(1, 2)", "sane.Option()",
    "sane.SaneDev()", "sane.open('a', 'b')", "sane.open(name='x')", "sane._SaneIterator()",
    "sane.nothing", "sane.get_devices(local=1)", "sane.Option(1)", "sane.SaneDev('test:0', 1)",
    "sane.open(None)", "sane.open(b'test')", "sane.open(5)", "sane.open('a\\0b')",
    "sane.open('\\ud800')", "sane.open(devname=3)", "sane.open(['test:0'])", "_sane.nothing",
    "_sane.exit(1)", "_sane.init(x=1)", "_sane._open('test:77')", "_sane._open(name='test:0')",
    "sane._SaneIterator(5).device", "next(sane._SaneIterator(5))", "sane.TYPE_STR",
    "sane.UNIT_STR", "sane._sane is _sane", "_sane.error.__mro__", "_sane.error('a', 2)",
    "_sane.error().args", "[_sane.error.__module__, _sane.error.__doc__]", "sane.SaneDev",
    "sane.Option", "sane._SaneIterator", "_sane.error.__name__",
    "[n for n in dir(_sane) if not n.startswith('__')]",
    "[n for n in dir(sane.SaneDev) if n[0] != '_']",
    "[getattr(_sane, n) for n in dir(_sane) if n.isupper() and n[0] != 'O']",
    "[c.__module__ + c.__qualname__ for c in (sane.Option, sane.SaneDev, sane._SaneIterator)]",
    "sane.get_devices()[0] == ('test:0', 'Noname', 'frontend-tester', 'virtual device')",
    "{d: len(d) for d in sane.get_devices()}", "sorted(sane.get_devices())[0][1:3]",
    "[a + c for a, b, c, d in sane.get_devices()]", "sane.get_devices()[0] + (1,)",
    "'%s %s %s %s' % sane.get_devices()[-1]", "isinstance(sane.get_devices(), list)",
    "[isinstance(d, tuple) for d in sane.get_devices()]", "raise_error(_sane.error('Device busy'))",
    )  # fmt: skip

OF_OPTION = ("index", "name", "type", "unit", "size", "cap", "constraint", "py_name", "is_active()",
    "is_settable()", "scanDev.devname", "nothing", "__class__", "is_active(1)", "is_settable(x=1)",
    "__dict__.keys()", "__module__")  # fmt: skip
WITH_OPTION = ("o", "o.title == ''", "len(o.desc) > 0", "o is D[K]", "o == D[K]", "o == o",
    "hash(o) == hash(o)", "o.scanDev is D", "o.note = 5; o.note", "D[K].cap", "o.is_active()",
    "D.N", "D.N = 'Gray'", "o < o", "isinstance(o, sane.Option)",
    "[o.is_active(), o.is_settable(), o.py_name]")  # fmt: skip
CHANGES_OPTION = ("o.py_name = 'mode'", "o.cap ^= 32", "o.cap ^= 1", "o.index = 3", "o.type = 1",
    "o.name = None; o.py_name")  # fmt: skip

OF_OPT = ("len(D.opt)", "list(D.opt)", "K in D.opt", "[o.index for o in D.opt.values()]",
    "[k for k, o in D.opt.items()]", "D.opt.get(K).index", "D.opt.get('x', 5)", "D.opt['x']",
    "isinstance(D.opt, dict)", "D.opt == dict(D.opt)", "[o.cap for o in dict(D.opt).values()]",
    "sorted(D.opt.keys())[:4]", "[o.py_name for o in (D.opt | {}).values()]",
    "[o.unit for o in {**D.opt}.values()]", "D.opt == D.opt", "D.opt != D.opt", "D.opt",
    "D[K].scanDev is D", "D.opt.copy()['mode'].constraint", "isinstance(D[K], sane.Option)",
    "list(reversed(D.opt))[:3]", "D.opt is D.opt", "D.__dict__['opt'][K].type",
    "next(iter(D.opt.values())).index", "len(D.opt.items())", "D.opt == {}",
    "{o.name: o.type for o in D.opt.values() if o.is_active()}", "({} | D.opt)['mode'].type",
    "[n for n, o in D.opt.items() if o.is_settable()]", "D.opt.keys() == dict(D.opt).keys()",
    "[o.scanDev is D for o in D.opt.values()][:2]", "D.opt.get(None)", "bool(D.opt)",
    )  # fmt: skip

OF_DEVICE = ("D.note = [1]; D.note", "del D.note", "del D.mode", "[k for k in D.__dict__]",
    "sorted(n for n in dir(D) if n[0] != '_')", "repr(D)", "D.dev", "type(D.dev)", "D == D",
    "len(D)", "hash(D) == hash(D)", "list(D)", "'mode' in D", "bool(D)", "D[0]", "D < 1",
    "D.dev.x = 1", "D.dev.x", "D()", "type(D.dev)()", "D.dev == D.dev", "hash(D.dev) == 0",
    "len(D.dev)", "D.dev.close = 1", "dict(D)", "D.snap.__name__", "D.start.__self__ is D",
    "D['mode'] = 1", "iter(D.dev)", "D.scan.__qualname__", "isinstance(D, sane.SaneDev)",
    "vars(D.dev)", "D.opt = dict(D.opt)", "D._SaneDev__get_sane_signature()", "str(D) == repr(D)",
    "[n for n in dir(D.dev) if n[0] != '_']", "D.area", "D.sane_signature", "D.scanner_model",
    "D.optlist", "D.optlist is D.optlist", "D.devname", "D.devname = 'test:1'", "D.tl_z",
    "D.devname = 'x'", "forked(D, lambda: D.mode)", "forked(D, lambda: D.get_options()[3][1])",
    "in_thread(lambda: D.depth)", "in_thread(lambda: D.get_parameters())",
    "in_thread(lambda: setattr(D, 'depth', 8))", "D.__setattr__('mode', 'Color')",
    "D.__getattr__('mode')", "D.__getattr__('x')", "D.__class__.__name__", "D.note",
    "'mode' in dir(D)", "D._SaneDev__load_option_dict() if is_open(D) else 0",
    )  # fmt: skip
DURING = ("D.get_parameters()", "D.mode = 'Color'", "D.depth", "D.area", "D.fileno() > 0",
    "D.dev.get_parameters()", "D.resolution = 20", "D.dev.set_option(3, 8)", "D.optlist[1]",
    "D.enable_test_options = 1", "D.get_options()[3][0]", "D.multi_scan().device is D")  # fmt: skip
ACTIONS = ("(rest(), D.cancel())", "D.get_parameters()", "D.mode", "setattr(D, 'depth', 8)",
    "D.get_options()[2][1]", "D.start(1)", "D.fileno() > 0", "D.dev.get_option(3)",
    "sane.get_devices()[0]", "(rest(), D.cancel(), D.cancel())")  # fmt: skip
