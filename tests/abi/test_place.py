"""The library finds its drivers from where it was loaded, wherever the host goes afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import cc
from tests.abi import running
from tests.conftest import PREFIX

Environ = dict[str, str]
EVIL = """
#include <unistd.h>
__attribute__((constructor)) static void run(void) { write(2, "forged code runs\\n", 17); }
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build("place.c", tmp_path_factory.mktemp("place"))


def place(program: Path, folder: Path, environment: Environ, *arguments: object) -> tuple[str, str]:
    """Run it in *folder* with the library on a relative path; return what it wrote."""
    relative = {**environment, "LD_LIBRARY_PATH": "lib"}
    shell = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folder, program, *arguments]
    done = running.run([str(part) for part in shell], relative)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


@pytest.fixture
def forged(tmp_path: Path) -> Path:
    """A folder with a libsane and a pysane of somebody else's at the same relative place."""
    package = tmp_path / "forged" / "lib" / "pysane"
    package.mkdir(parents=True)
    cc.compile_program(EVIL, package / "evil.so", "-shared", "-fPIC")
    shutil.copy(running.LIBSANE, package.parent)
    lines = (PREFIX / "lib/pysane/pysane.runtime").read_text().splitlines()
    lines = [line for line in lines if not line.startswith("libpython=")]
    (package / "pysane.runtime").write_text("\n".join([*lines, "libpython=evil.so", ""]))
    return package.parent.parent


@pytest.mark.parametrize("moment", ["before", "init"])
def test_place_is_that_of_the_loaded_library(
    program: Path, staged_environment: Environ, forged: Path, tmp_path: Path, moment: str
) -> None:
    for folder in (tmp_path, forged):  # without and with another library there
        assert place(program, PREFIX, staged_environment, moment, folder) == ("GOOD", "")


def test_place_is_left_when_another_library_has_taken_it(
    program: Path, staged_environment: Environ, forged: Path, tmp_path: Path
) -> None:
    """An upgrade while the program runs: what is there now belongs to another libsane.so.1."""
    (tmp_path / "lib").mkdir()
    shutil.copy(running.LIBSANE, tmp_path / "lib")
    (tmp_path / "lib" / "pysane").symlink_to(PREFIX / "lib" / "pysane")
    script = 'mv "$0/lib" "$0/old" && mv "$0/forged/lib" "$0/lib"'
    done = running.run(
        ["sh", "-c", f'"$1" command "{script}" test:0', tmp_path, program],
        {**staged_environment, "LD_LIBRARY_PATH": f"{tmp_path}/lib"},
    )
    assert "forged code runs" not in done.stderr
    assert "does not lie any more where it was loaded from" in done.stderr
