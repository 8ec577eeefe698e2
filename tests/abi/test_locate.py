"""The library of a wheel finds its Python at the first use: nothing names it beforehand."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

import pytest
from building.runtime import wheel_text

from tests.abi import running
from tests.conftest import PREFIX

Environ = dict[str, str]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
NOWHERE = "3.99"  # a version that no machine has


class Wheel:
    """A virtual environment's folder with what of a wheel the library needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "lib" / f"python{VERSION}" / "site-packages"
        self.runtime = self.site / "sane/lib/pysane/pysane.runtime"
        self.runtime.parent.mkdir(parents=True)
        package = PREFIX / "lib" / "pysane"
        shutil.copy(running.LIBSANE, self.site / "sane" / "lib")
        for boot in package.glob("boot.*.so"):
            shutil.copy(boot, self.runtime.parent)
        for path in (package / "sane").iterdir():
            if path.name != "__pycache__":  # a test puts another __init__ there
                (self.site / "sane" / path.name).symlink_to(path)
        self.runtime.write_text(wheel_text())

    def made_by(self, *lines: str) -> None:
        """Write what python -m venv notes of its Python."""
        (self.folder / "pyvenv.cfg").write_text("".join(f"{line}\n" for line in lines))

    def tells_its_python(self) -> None:
        """Let the package write which Python runs it."""
        code = "import posix, sys; posix.write(2, sys.prefix.encode())\n"
        (self.site / "sane" / "__init__.py").unlink()
        (self.site / "sane" / "__init__.py").write_text(code)

    def said_by(self, program: Path, environment: Environ) -> tuple[str, str]:
        """Return what a C program prints that lists devices, and what it complains of."""
        library = str(self.site / "sane" / "lib")
        done = running.run([program], {**environment, "LD_LIBRARY_PATH": library})
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build("plain.c", tmp_path_factory.mktemp("plain"))


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    return Wheel(tmp_path / "an environment")


def test_the_python_of_the_virtual_environment_is_used(
    wheel: Wheel, plain: Path, staged_environment: Environ
) -> None:
    wheel.made_by(f"home = {sys.base_prefix}/bin", "include-system-site-packages = true")
    wheel.runtime.write_text(wheel_text() + "fallback=\n")
    stdout, stderr = wheel.said_by(plain, staged_environment)
    assert stderr == ""
    assert "UNSUPPORTED" not in stdout


def test_the_python_that_another_environment_links_to_is_used(
    wheel: Wheel, plain: Path, staged_environment: Environ, tmp_path: Path
) -> None:
    """Python 3.10 notes the environment that made this one, as pipx in an environment does."""
    outer = tmp_path / "outer" / "bin"
    outer.mkdir(parents=True)
    program = f"python{VERSION}"
    (outer / "python").symlink_to(Path(sys.base_prefix, "bin", program))
    (outer / program).symlink_to("python")
    wheel.made_by(f"home = {outer}", "include-system-site-packages = true")
    wheel.tells_its_python()
    _, stderr = wheel.said_by(plain, staged_environment)
    assert stderr.startswith(sys.base_prefix)


def test_the_installation_that_the_package_lies_in_is_used(
    wheel: Wheel, plain: Path, staged_environment: Environ
) -> None:
    """Of a Python without a virtual environment: its library and its standard library."""
    library = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME"))
    (wheel.folder / "lib" / library.name).symlink_to(library)
    for path in Path(sysconfig.get_path("stdlib")).iterdir():
        if path.name != "site-packages":
            (wheel.site.parent / path.name).symlink_to(path)
    wheel.tells_its_python()
    _, stderr = wheel.said_by(plain, staged_environment)
    assert stderr.startswith(str(wheel.folder))


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("home = relative/bin",),
        ("home", "=", "home =", "home = /"),
        (f"home = /{'x' * 9000}/bin", "\0" * 50, "=" * 9000),
    ],
)
def test_what_is_wrong_in_pyvenv_cfg_ends_in_one_sentence(
    wheel: Wheel, plain: Path, staged_environment: Environ, lines: tuple[str, ...]
) -> None:
    wheel.made_by(*lines)
    wheel.runtime.write_text(
        wheel_text().replace(f"version={VERSION}", f"version={NOWHERE}") + "fallback=\n"
    )
    _, stderr = wheel.said_by(plain, staged_environment)
    assert stderr.count("\n") == 1
    assert f"pysane: no shared libpython{NOWHERE} in " in stderr


def test_no_shared_libpython_is_told_with_where_and_the_remedy(
    wheel: Wheel, plain: Path, staged_environment: Environ
) -> None:
    wheel.made_by("home = /opt/none/bin")
    wheel.runtime.write_text(
        wheel_text().replace(f"version={VERSION}", f"version={NOWHERE}") + "fallback=\n"
    )
    _, stderr = wheel.said_by(plain, staged_environment)
    assert stderr == (
        f"pysane: no shared libpython{NOWHERE} in /opt/none, /usr/local, /usr: install the package "
        f"libpython{NOWHERE}, or make the environment with a Python that was built with "
        '--enable-shared; SANE calls return "Operation not supported"\n'
    )
