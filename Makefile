# Everything that is done with PySANE. "make" builds; the rest, by what it is for:
#
#   to use it     build      all that programs need, in build/prefix; only what changed is built
#                 scan       a page of the test device through scanimage
#                 install    build/prefix to PREFIX; uninstall removes it again
#                 deb        a Debian package, build/pysane_*.deb
#   to work on it check      lint, types and unit tests, in a minute; lint is the first two alone
#                 unit       the unit tests alone
#                 test       all tests on this machine, on the source tree and on the compiled one
#                 bench      how fast it is, beside the original
#                 importtime what a listing imports, and what that costs
#   to be sure    test-usb   end to end on a real kernel's USB stack, in a virtual machine
#                 test-long  the tests that take minutes each
#                 test-sdist a wheel from the source archive in an empty environment
#                 test-deb   the Debian package in a clean root
#                 test-distro  scan and test on other Debian releases; DISTRO="trixie sid" ...
#                 fuzz       every parser of bytes from outside; SECONDS=20 TARGET=conf for one
#                 sanitize   the C ABI and a stress program under ASan and TSan, in ten minutes
#   clean         remove build
#
# Settings, as in make PREFIX=/opt/pysane install:
#
#   PYTHON=python3     the interpreter to build for and to run drivers with; needs a shared libpython
#   PREFIX, DESTDIR    where make install puts things; SANEDIR=... also offers our backends to the
#                      distribution's libsane; SYSCONFDIR is where the config files go
#   SHIMS="name=backend ..."  more libsane-<name>.so.1
#   JOBS=auto          how many tests run at once
#   APT=no             never install Debian packages, only say which are missing

PYTHON ?= python3
PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
SANEDIR ?=
SHIMS ?=
JOBS ?= auto
APT ?= yes
export SHIMS

PYTHON_EXE := $(shell $(PYTHON) -c 'import sys; print(sys.executable)')
BUILD ?= build
VENV := $(BUILD)/venv
STAGE := $(BUILD)/prefix
DEB_PYTHON ?= /usr/bin/python3

# On all processors: the tests of a file, and those that share something, one after the other.
PYTEST := $(VENV)/bin/python -m pytest -q
PARALLEL := -n $(JOBS) --dist loadgroup

.PHONY: all build scan install uninstall deb check lint unit test bench importtime test-usb \
	test-long test-sdist test-deb test-distro fuzz sanitize clean

all: build

# Print and, as root, install the Debian packages that a group of needs lacks.
define packages
@$(PYTHON_EXE) .ci/packages.py --apt=$(APT) $(1)
endef

PIP := $(VENV)/bin/python -m pip install -q --disable-pip-version-check

$(VENV)/bin/python:
	$(call packages,build)
	$(PYTHON_EXE) -m venv $(VENV)

$(VENV)/ready: pyproject.toml .ci/packages.py Makefile | $(VENV)/bin/python
	$(call packages,build)
	$(PIP) 'setuptools>=77' 'Cython>=3.0' pyusb h11
	@touch $@

$(VENV)/ready-test: $(VENV)/ready
	$(PIP) 'pytest>=8' 'pytest-xdist>=3.6' 'cffi>=1.15' 'hypothesis>=6' 'jeepney>=0.8' numpy \
		'pillow>=9.4' 'pikepdf>=8'
	@touch $@

$(VENV)/ready-lint: $(VENV)/ready-test
	$(PIP) ruff==0.17.6 mypy==2.4.1 cython-lint==0.22.0 pycodestyle
	@touch $@

# Only what changed is built: .ci/building knows.
build: $(VENV)/ready
	@$(VENV)/bin/python setup.py -q stage --prefix $(STAGE)

scan: build
	$(call packages,scan)
	@$(PYTHON_EXE) .ci/scan.py $(STAGE) build/scan.png

install: build
	@$(VENV)/bin/python .ci/install.py install --stage $(STAGE) --prefix "$(PREFIX)" \
		--destdir "$(DESTDIR)" --sysconfdir "$(SYSCONFDIR)" --sanedir "$(SANEDIR)"

uninstall:
	@$(PYTHON_EXE) .ci/install.py uninstall --prefix "$(PREFIX)" --destdir "$(DESTDIR)"

# A package that needs neither compiler nor virtual environment: built for the system's own Python.
deb:
	@$(MAKE) --no-print-directory BUILD=build/deb PYTHON=$(DEB_PYTHON) build
	@$(DEB_PYTHON) .ci/deb.py --stage build/deb/prefix --out build

check:
	@$(MAKE) --no-print-directory --output-sync -j2 lint unit

unit: $(VENV)/ready-test
	$(PYTEST) $(PARALLEL) tests --ignore tests/saned -m "not (process or vm or long)"

lint: $(VENV)/ready-lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy sane tests bench .ci/building
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cython-lint sane backends

test: build $(VENV)/ready-test
	$(call packages,test)
	$(PYTEST) $(PARALLEL) tests
	SANE_TEST_TREE=$(STAGE)/lib/pysane $(PYTEST) $(PARALLEL) tests -m "not (process or vm or long)"

bench: build $(VENV)/ready-test
	$(call packages,test)
	$(VENV)/bin/python -m bench

importtime: build
	@$(PYTHON_EXE) .ci/importtime.py $(STAGE)/lib/pysane

# The virtual machine's kernel is kept in build/vm.
test-usb: build $(VENV)/ready-test
	$(call packages,test-usb)
	$(PYTEST) tests/vm -m vm

test-long: build $(VENV)/ready-test
	$(call packages,test)
	$(PYTEST) tests -m "long and not vm"

test-sdist: build $(VENV)/ready-test
	$(PYTEST) tests/building/test_sdist.py -m long

test-deb: deb
	$(call packages,deb)
	@$(PYTHON_EXE) .ci/deb_test.py build/pysane_*.deb

# In a root for each release: build/distro/<release>, kept, 3 GB.
DISTRO ?= bookworm trixie sid
test-distro:
	$(call packages,deb)
	@$(PYTHON_EXE) .ci/distro_test.py $(DISTRO)

# Guided by coverage (tests/fuzz); what it finds goes to build/fuzz.
SECONDS ?= 20
fuzz: build $(VENV)/ready-test
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check atheris
	$(VENV)/bin/python -m tests.fuzz.run $(SECONDS) $(TARGET)

# Built for the sanitizers in build/asan and build/tsan.
sanitize: $(VENV)/ready-test
	$(call packages,sanitize)
	$(VENV)/bin/python .ci/sanitize.py

clean:
	rm -rf build
