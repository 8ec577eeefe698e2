# PySANE: make scan, make test, make test-usb, make build, make install, make bench, make lint.
#
#   PYTHON=python3     the interpreter to build for and to run drivers with; needs a shared libpython
#   PREFIX, DESTDIR    where make install puts things; SANEDIR=... also offers our backends to the
#                      distribution's libsane; SYSCONFDIR is where the config files go
#   SHIMS="name=backend ..."  more libsane-<name>.so.1
#   make deb            a Debian package, build/pysane_*.deb; make test-deb tries it in a clean root
#   make test-distro    make scan and make test on other Debian releases; DISTRO="trixie sid" ...
#   APT=no             never install Debian packages, only say which are missing

PYTHON ?= python3
PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
SANEDIR ?=
SHIMS ?=
APT ?= yes
export SHIMS

PYTHON_EXE := $(shell $(PYTHON) -c 'import sys; print(sys.executable)')
BUILD ?= build
VENV := $(BUILD)/venv
STAGE := $(BUILD)/prefix
DEB_PYTHON ?= /usr/bin/python3

.PHONY: all build scan test test-usb test-plain test-compiled bench fuzz lint importtime install \
	uninstall deb test-deb test-distro clean

all: build

# Print and, as root, install the Debian packages that a group of needs lacks.
define packages
@$(PYTHON_EXE) .ci/packages.py --apt=$(APT) $(1)
endef

$(VENV)/ready: pyproject.toml .ci/packages.py
	$(call packages,build)
	$(PYTHON_EXE) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check \
		'setuptools>=77' 'Cython>=3.0' pyusb
	@touch $@

$(VENV)/ready-test: $(VENV)/ready
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check \
		'pytest>=8' 'cffi>=1.15' 'hypothesis>=6' numpy
	@touch $@

$(VENV)/ready-lint: $(VENV)/ready-test
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check \
		ruff==0.17.6 mypy==2.4.1 cython-lint==0.22.0 pycodestyle
	@touch $@

# Only what changed is built: .ci/building knows.
build: $(VENV)/ready
	@$(VENV)/bin/python setup.py -q stage --prefix $(STAGE)

scan: build
	$(call packages,scan)
	@$(PYTHON_EXE) .ci/scan.py $(STAGE) build/scan.png

test: build $(VENV)/ready-test
	$(call packages,test)
	$(VENV)/bin/python -m pytest -q tests
	SANE_TEST_TREE=$(STAGE)/lib/pysane $(VENV)/bin/python -m pytest -q tests -m "not process"

# End to end on a real kernel's USB stack, in a virtual machine; its kernel is kept in build/vm.
test-usb: build $(VENV)/ready-test
	$(call packages,test-usb)
	$(VENV)/bin/python -m pytest -q tests/vm -m vm

bench: build $(VENV)/ready-test
	$(call packages,test)
	$(VENV)/bin/python -m bench

# Coverage-guided fuzzing for a minute (tests/fuzz); what it finds goes to build/fuzz.
fuzz: $(VENV)/ready-test
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check atheris
	$(VENV)/bin/python -m tests.fuzz.run 60

lint: $(VENV)/ready-lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy sane tests bench .ci/building
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cython-lint sane backends

importtime: build
	@$(PYTHON_EXE) .ci/importtime.py $(STAGE)/lib/pysane

install: build
	@$(VENV)/bin/python .ci/install.py install --stage $(STAGE) --prefix "$(PREFIX)" \
		--destdir "$(DESTDIR)" --sysconfdir "$(SYSCONFDIR)" --sanedir "$(SANEDIR)"

uninstall:
	@$(PYTHON_EXE) .ci/install.py uninstall --prefix "$(PREFIX)" --destdir "$(DESTDIR)"

# A package that needs neither compiler nor virtual environment: built for the system's own Python.
deb:
	@$(MAKE) --no-print-directory BUILD=build/deb PYTHON=$(DEB_PYTHON) build
	@$(DEB_PYTHON) .ci/deb.py --stage build/deb/prefix --out build

test-deb: deb
	$(call packages,deb)
	@$(PYTHON_EXE) .ci/deb_test.py build/pysane_*.deb

# As a fresh user of these releases, in a root for each: build/distro/<release>, kept, 3 GB.
DISTRO ?= bookworm trixie sid
test-distro:
	$(call packages,deb)
	@$(PYTHON_EXE) .ci/distro_test.py $(DISTRO)

clean:
	rm -rf build
