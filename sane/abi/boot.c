/* Starts the interpreter as a guest of the host program, or adopts the host's own.
 *
 * It knows where Python and the package are; it knows nothing of devices. It is loaded by the
 * shim after libpython is in the global scope, so it is linked without it, as extension modules
 * are: in a Python host every Py symbol must be the host's.
 */
#include <Python.h> /* first: it chooses what the system's headers define */

#include "modules.h"

#ifdef Py_GIL_DISABLED
#error "PySANE needs a Python with the GIL, this one is free-threaded"
#endif

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct pysane_library_ops *pysane_python_ops;
const struct pysane_device_ops *pysane_python_device_ops;

#if PY_VERSION_HEX < 0x030D0000
#define Py_IsFinalizing _Py_IsFinalizing
#endif

int
pysane_is_finalizing(void)
{
  return Py_IsFinalizing();
}

static const char marker[] = "_pysane_guest"; /* in sys.modules of an interpreter of ours */

/* Import the Cython modules that lie in this same library as modules of the package. In a Python
 * host another package may be called sane (python-sane, or PySANE from elsewhere): ours is _pysane
 * then. */
static const char import_source[] =
  "import sys\n"
  "if guest:\n" /* some 15 searches until a device is open, through modules that all stay */
  "    import gc\n"
  "    gc.set_threshold(10_000)\n"
  "if is_privileged:\n" /* what others' modules write or load is not for its user to say */
  "    import posix\n"
  "    posix.environ.clear()\n"
  "from _frozen_importlib import ModuleSpec\n"
  "from _frozen_importlib_external import ExtensionFileLoader\n"
  "import _imp\n"
  "import os\n"
  "name = 'sane'\n"
  "present = list(getattr(sys.modules.get(name), '__path__', ()))\n"
  "if not guest and [os.path.realpath(path) for path in present] != [package + '/sane']:\n"
  "    name = '_pysane'\n"
  "    if name not in sys.modules:\n"
  "        from importlib.util import module_from_spec, spec_from_file_location\n"
  "        spec = spec_from_file_location(name, package + '/sane/__init__.py',\n"
  "                                       submodule_search_locations=[package + '/sane'])\n"
  "        sys.modules[name] = module = module_from_spec(spec)\n"
  "        try:\n"
  "            spec.loader.exec_module(module)\n"
  "        except BaseException:\n"
  "            del sys.modules[name]\n"
  "            raise\n"
  "__import__(name + '.abi')\n"
  "for part in ('structs', 'direct', 'cancel', 'lent', 'handle', 'library_ops'):\n"
  "    full = name + '.abi.' + part\n"
  "    if full not in sys.modules:\n"
  "        spec = ModuleSpec(full, ExtensionFileLoader(full, boot), origin=boot)\n"
  "        module = _imp.create_dynamic(spec)\n"
  "        module.__spec__ = spec\n"
  "        module.__package__ = name + '.abi'\n"
  "        sys.modules[full] = module\n"
  "        _imp.exec_dynamic(module)\n";

static int
is_guest(void)
{
  return PyDict_GetItemString(PyImport_GetModuleDict(), marker) != NULL;
}

/* Describe the pending exception in *error* and clear it. */
static void
say_exception(char *error, size_t size)
{
  PyObject *type, *value, *traceback, *text;

  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  text = value ? PyObject_Str(value) : NULL;
  snprintf(error, size, "%s: %s", value ? Py_TYPE(value)->tp_name : "?",
           text ? PyUnicode_AsUTF8(text) : "unknown error");
  Py_XDECREF(text);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  PyErr_Clear();
}

static PyStatus
add_directories(PyConfig *config, const char *list)
{
  PyStatus status = PyStatus_Ok();
  char *copy = strdup(list), *rest = copy, *directory;

  while (!PyStatus_Exception(status) && (directory = strsep(&rest, ":"))) {
    wchar_t *wide = *directory ? Py_DecodeLocale(directory, NULL) : NULL;
    if (wide)
      status = PyWideStringList_Append(&config->module_search_paths, wide);
    PyMem_RawFree(wide);
  }
  free(copy);
  return status;
}

static PyObjectArenaAllocator arenas; /* Python's own */
static void (*add_root)(const void *, size_t), (*remove_root)(const void *, size_t);

static void *
new_arena(void *context, size_t size)
{
  void *arena = arenas.alloc(context, size);

  if (arena)
    add_root(arena, size);
  return arena;
}

static void
free_arena(void *context, void *arena, size_t size)
{
  remove_root(arena, size);
  arenas.free(context, arena, size);
}

/* A LeakSanitizer in the host looks only where malloc has been: what Python's objects, which lie
 * elsewhere, point to it would call leaked at the end, some 670 KB. */
static void
show_arenas(void)
{
  PyObjectArenaAllocator shown;

  *(void **)&add_root = dlsym(RTLD_DEFAULT, "__lsan_register_root_region");
  *(void **)&remove_root = dlsym(RTLD_DEFAULT, "__lsan_unregister_root_region");
  if (!add_root || !remove_root)
    return;
  PyObject_GetArenaAllocator(&arenas);
  shown = (PyObjectArenaAllocator){arenas.ctx, new_arena, free_arena};
  PyObject_SetArenaAllocator(&shown);
}

/* Isolated, UTF-8, without site, without signal handlers: the host notices nothing. */
static PyStatus
start(const struct pysane_runtime *runtime)
{
  PyPreConfig preconfig;
  PyConfig config;
  PyStatus status;

  PyPreConfig_InitIsolatedConfig(&preconfig);
  preconfig.utf8_mode = 1;
  status = Py_PreInitialize(&preconfig);
  if (PyStatus_Exception(status))
    return status;
  show_arenas();
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  config.install_signal_handlers = 0;
  config.write_bytecode = 0;
  config.pathconfig_warnings = 0;
  config.module_search_paths_set = 1;
  status = PyConfig_SetBytesString(&config, &config.home, runtime->home);
  if (!PyStatus_Exception(status))
    status = add_directories(&config, runtime->stdlib);
  if (!PyStatus_Exception(status))
    status = add_directories(&config, runtime->package);
  if (!PyStatus_Exception(status))
    status = add_directories(&config, runtime->path);
  if (!PyStatus_Exception(status))
    status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  return status;
}

/* When _signal is imported it takes SIGINT, if that has its default action: let it do so now, and
 * give the signal back. No later import, by a driver or by us, touches the host's signals then. */
static void
import_signal(void)
{
  unsigned char interrupt[128]; /* as the kernel has it: glibc's would come back with a flag more */
  sigset_t before = pysane_hold_signals();

  syscall(SYS_rt_sigaction, SIGINT, NULL, interrupt, _NSIG / 8);
  Py_XDECREF(PyImport_ImportModule("_signal"));
  PyErr_Clear();
  syscall(SYS_rt_sigaction, SIGINT, interrupt, NULL, _NSIG / 8);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int
import_package(const struct pysane_runtime *runtime, int guest)
{
  PyObject *names, *result;

  if (guest) { /* fd 1 may be the image: whatever prints goes to stderr */
    PyObject *error = PySys_GetObject("stderr");
    PySys_SetObject("stdout", error ? error : Py_None);
    PySys_SetObject("stdin", Py_None);
  }
  names = Py_BuildValue("{s:O,s:i,s:i,s:s,s:s}", "__builtins__", PyEval_GetBuiltins(), "guest",
                        guest, "is_privileged", guest && getauxval(AT_SECURE), "package",
                        runtime->package, "boot", runtime->boot);
  if (!names)
    return -1;
  result = PyRun_String(import_source, Py_file_input, names, names);
  Py_DECREF(names);
  if (!result)
    return -1;
  Py_DECREF(result);
  return 0;
}

/* For a first call from a destructor in a host's Python that ends: nothing can be imported. */

static SANE_Status
list_nothing(struct pysane_library *library, const SANE_Device ***list, SANE_Bool local_only)
{
  (void)library, (void)list, (void)local_only;
  return SANE_STATUS_IO_ERROR;
}

static SANE_Status
open_nothing(struct pysane_library *library, const char *name, struct pysane_slot *slot)
{
  (void)library, (void)name, (void)slot;
  return SANE_STATUS_IO_ERROR;
}

static int
never(void)
{
  return 0;
}

static int
always(void)
{
  return 1;
}

/* Whoever lacks Python is asked for nothing else. */
static const struct pysane_library_ops without_python = {
  .get_devices = list_nothing,
  .open = open_nothing,
  .inside = never,
  .lacks_python = always,
};

__attribute__((visibility("default"))) const struct pysane_library_ops *
pysane_boot(const struct pysane_runtime *runtime, char *error, size_t size)
{
  static int ready; /* under the GIL */
  const struct pysane_library_ops *ops = NULL;
  PyGILState_STATE gil = PyGILState_UNLOCKED;
  PyThreadState *state = NULL;
  int guest;

  if (pysane_is_finalizing())
    return &without_python;
  if (Py_IsInitialized()) {
    gil = PyGILState_Ensure();
    guest = is_guest();
  } else {
    PyStatus status = start(runtime);
    if (PyStatus_Exception(status)) {
      snprintf(error, size, "%s", status.err_msg ? status.err_msg : "cannot start Python");
      return NULL;
    }
    guest = 1;
    import_signal();
    PyImport_AddModule(marker);
    state = PyThreadState_Get();
  }
  if (!ready) {
    if (import_package(runtime, guest) == 0) {
      pysane_threads_init(guest);
      ready = 1;
    } else {
      say_exception(error, size);
    }
  }
  if (ready)
    ops = pysane_python_ops;
  if (state)
    PyEval_SaveThread();
  else
    PyGILState_Release(gil);
  return ops;
}
