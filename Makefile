# Everything that is done with PySANE. "make" builds; the rest, by what it is for:
#
#   to use it     build      all that programs need, in build/prefix; only what changed is built
#                 scan       a page of the test device through scanimage
#                 install    build/prefix to PREFIX; uninstall removes it again
#                 wheels     what pip installs, for each Python here, in build/wheels
#                 deb        Debian packages, build/*.deb
#   to work on it check      lint, types and the quick unit tests, in two minutes
#                 lint       the first two alone
#                 unit       all unit tests on the source tree, uncompiled; slow measures which of them
#                            make check leaves out
#                 test       all tests on this machine, on what is built
#                 bench      how fast it is, beside the original
#                 importtime what a listing imports, and what that costs
#                 docs       the documentation site, build/site/html
#                 changes    what the changelog will say; release-notes VERSION=... writes it there
#                 screenshots  the pictures of terminals in docs/pictures, taken anew
#                 page-pictures  the same of the page that people scan from
#   to be sure    test-usb   end to end on a real kernel's USB stack, in a virtual machine
#                 test-long  the tests that take minutes each; test-rest: those of REST alone
#                 test-sdist a wheel from the source archive in an empty environment
#                 test-wheels  the tests against each wheel of make wheels
#                 test-deb   the Debian packages in a clean root
#                 test-services  their services under a systemd in a container
#                 test-starts  the pages of five minutes, word by word in a clean root
#                 test-distro  scan and test on other Debian releases; DISTRO="trixie sid" ...
#                            GOALS="test-deb" for the packages that are built there
#                 fuzz       every parser of bytes from outside; SECONDS=20 TARGET=conf for one
#                 sanitize   the C ABI and a stress program under ASan and TSan, in ten minutes
#   clean         remove build
#
# Settings, as in make PREFIX=/opt/pysane install:
#
#   PYTHON=python3     the interpreter to build for and to run drivers with; needs a shared libpython
#   PREFIX, DESTDIR    where make install puts things; SANEDIR=... also offers our backends to the
#                      distribution's libsane; SYSCONFDIR is where the config files go
#   SCANIMAGE=yes      make install gives our scanimage that name, too, beside pysane-scanimage
#   SHIMS="name=backend ..."  more libsane-<name>.so.1
#   JOBS=4             how many tests run at once: two for each processor
#   APT=no             never install Debian packages, only say which are missing

PYTHON ?= python3
PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
SANEDIR ?=
SCANIMAGE ?=
SHIMS ?=
JOBS ?= $(shell expr 2 '*' $$(nproc))
APT ?= yes
export SHIMS
# Where it is set, pytest would compile every test anew in each of its processes: most of the time
# before the first test.
unexport PYTHONDONTWRITEBYTECODE

PYTHON_EXE := $(shell $(PYTHON) -c \
	'import sys; print(sys.executable if sys.version_info >= (3, 10) else "")' 2>/dev/null)
ifeq ($(PYTHON_EXE),)
$(error $(PYTHON) is missing or too old, PySANE needs 3.10 or newer: choose another, \
	as in make PYTHON=python3.11)
endif
BUILD ?= build
VENV := $(BUILD)/venv
STAGE := $(BUILD)/prefix
DEB_PYTHON ?= /usr/bin/python3

# On all processors, two on each because tests mostly wait: the tests of a file one after the other,
# its fixtures are made once.
PYTEST := $(VENV)/bin/python -m pytest -q
PARALLEL := -n $(JOBS) --dist loadfile --no-loadscope-reorder
UNIT := -m "not (process or vm or long)" tests

# Some tests hold a promise of time, which a busy machine can break: what failed beside others is run
# once more, alone, and listed if it passes then. Look at each: the fault may be real.
define tests
$(1) $(PYTEST) $(PARALLEL) $(2) || { test $$? -eq 1 && echo "Those that failed, alone:" && \
	$(1) $(PYTEST) $(2) -rp --last-failed --last-failed-no-failures none; }
endef

.PHONY: all build scan install uninstall deb check lint quick unit slow test bench importtime test-usb \
	docs screenshots page-pictures changes release-notes test-starts test-long test-rest test-sdist test-deb \
	test-distro fuzz sanitize clean

all: build

# Print and, as root, install the Debian packages that a group of needs lacks.
define packages
@$(PYTHON_EXE) packaging/packages.py --apt=$(APT) $(1)
endef

PIP := $(VENV)/bin/python -m pip install -q --disable-pip-version-check

$(VENV)/bin/python:
	$(call packages,build)
	$(PYTHON_EXE) -m venv $(VENV)

$(VENV)/ready: pyproject.toml packaging/packages.py Makefile | $(VENV)/bin/python
	$(call packages,build)
	$(PIP) 'setuptools>=77' 'Cython>=3.0' pyusb h11
	@touch $@

$(VENV)/ready-test: $(VENV)/ready
	$(PIP) 'pytest>=8' 'pytest-xdist>=3.7' 'cffi>=1.15' 'hypothesis>=6' 'jeepney>=0.8' numpy \
		'pillow>=9.4' 'pikepdf>=8' 'opencv-python-headless>=4.6' \
		'rich>=13.3' 'jsonschema>=4' \
		'uvicorn>=0.17' 'starlette>=0.26' 'segno>=1.4' 'cryptography>=38' 'argon2-cffi>=21' httpx \
		'tomli>=2; python_version < "3.11"'
	@touch $@

$(VENV)/ready-lint: $(VENV)/ready-test
	$(PIP) ruff==0.17.6 mypy==2.4.1 cython-lint==0.22.0 pycodestyle
	@touch $@

$(VENV)/ready-docs: $(VENV)/ready-test
	$(PIP) 'sphinx>=8' 'myst-parser>=4' 'furo>=2025.12.19' 'pypandoc_binary>=1.13' \
		'towncrier>=23.11'
	@touch $@

# For tests of the page in a browser; without chromium or npm they are skipped.
$(VENV)/ready-browser: $(VENV)/ready-test
	$(call packages,browser)
	$(PIP) 'playwright>=1.40'
	-npm install --silent --no-audit --no-fund --prefix build/axe axe-core@4
	@touch $@

# For requests that are made from the description of REST.
$(VENV)/ready-rest: $(VENV)/ready-test
	$(PIP) 'schemathesis>=4; python_version >= "3.11"'
	@touch $@

# Only what changed is built: packaging/building knows.
build: $(VENV)/ready
	@$(VENV)/bin/python setup.py -q stage --prefix $(STAGE)

scan: build
	$(call packages,scan)
	@$(PYTHON_EXE) packaging/scan.py $(STAGE) build/scan.png

install: build
	@$(VENV)/bin/python packaging/install.py install --stage $(STAGE) --prefix "$(PREFIX)" \
		--destdir "$(DESTDIR)" --sysconfdir "$(SYSCONFDIR)" --sanedir "$(SANEDIR)" \
		--scanimage "$(SCANIMAGE)"

uninstall:
	@$(PYTHON_EXE) packaging/install.py uninstall --prefix "$(PREFIX)" --destdir "$(DESTDIR)"

# Packages that need neither compiler nor virtual environment: built for the system's own Python.
deb:
	@$(MAKE) --no-print-directory BUILD=build/deb PYTHON=$(DEB_PYTHON) build
	@$(DEB_PYTHON) packaging/deb.py --stage build/deb/prefix --out build

check:
	@$(MAKE) --no-print-directory --output-sync -j2 lint quick

quick: $(VENV)/ready-test
	$(PYTEST) $(PARALLEL) tests --ignore tests/saned -m "not (process or vm or long or slow)"

unit: build $(VENV)/ready-test
	$(call tests,,$(UNIT))

# Which tests are slow is measured.
slow: $(VENV)/ready-test
	$(VENV)/bin/python -m tests.slow $(PARALLEL) $(UNIT) --ignore tests/saned

lint: $(VENV)/ready-lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy sane tests bench packaging/building packaging/debs packaging/programs docs/website
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cython-lint sane backends

test: build $(VENV)/ready-test
	$(call packages,test)
	$(call tests,SANE_TEST_TREE=$(STAGE)/lib/pysane,tests)

bench: build $(VENV)/ready-test
	$(call packages,test)
	$(VENV)/bin/python -m bench

importtime: build
	@$(PYTHON_EXE) bench/importtime.py $(STAGE)/lib/pysane

# A warning, or a link that leads nowhere, is an error.
docs: $(VENV)/ready-docs
	@PYTHONPATH=docs $(VENV)/bin/python -m website

screenshots: build $(VENV)/ready-test
	@PYTHONPATH=docs $(VENV)/bin/python -m website.screenshots

changes: $(VENV)/ready-docs
	@$(VENV)/bin/towncrier build --draft --version next 2>/dev/null

release-notes: $(VENV)/ready-docs
	$(VENV)/bin/towncrier build --yes --version $(VERSION)

# The virtual machine's kernel is kept in build/vm.
test-usb: build $(VENV)/ready-test
	$(call packages,test-usb)
	$(PYTEST) tests/vm -m vm

test-rest: build $(VENV)/ready-rest
	$(PYTEST) tests/web/api -m long

test-long: build $(VENV)/ready-docs $(VENV)/ready-browser $(VENV)/ready-rest
	$(call packages,test)
	$(PYTEST) tests -m "long and not vm"

page-pictures: $(VENV)/ready-browser
	$(VENV)/bin/python -m tests.support.page_pictures build/page

test-sdist: build $(VENV)/ready-test
	$(PYTEST) tests/building/test_sdist.py -m long

# WHEELS: of which versions of Python.
.PHONY: wheels test-wheels
WHEELS ?= 3.10 3.11 3.12 3.13 3.14
wheels:
	$(call packages,wheels)
	@$(PYTHON_EXE) packaging/wheels.py $(WHEELS)

test-wheels:
	$(call packages,test)
	@$(PYTHON_EXE) packaging/wheels_test.py --jobs $(JOBS)

test-deb: deb
	$(call packages,deb)
	@$(PYTHON_EXE) packaging/deb_test.py build/*.deb

.PHONY: test-services
test-services: deb
	$(call packages,deb)
	@$(PYTHON_EXE) packaging/services_test.py build/*.deb

# As a stranger follows them: in a clean root, build/starts.
test-starts: $(VENV)/ready-test
	$(call packages,deb)
	@$(VENV)/bin/python packaging/starts_test.py

# In a root for each release: build/distro/<release>, kept, 3 GB.
DISTRO ?= bookworm trixie sid
GOALS ?= scan test
test-distro:
	$(call packages,deb)
	@$(PYTHON_EXE) packaging/distro_test.py --goals "$(GOALS)" $(DISTRO)

# Guided by coverage (tests/fuzz); what it finds goes to build/fuzz.
SECONDS ?= 20
fuzz: build $(VENV)/ready-test
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check atheris
	$(VENV)/bin/python -m tests.fuzz.run $(SECONDS) $(TARGET)

# Built for the sanitizers in build/asan and build/tsan.
sanitize: $(VENV)/ready-test
	$(call packages,sanitize)
	$(VENV)/bin/python tests/sanitize.py

clean:
	rm -rf build
