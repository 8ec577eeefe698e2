"""A driver that writes to a closed socket cannot end a C frontend by SIGPIPE."""

from __future__ import annotations

from pathlib import Path

from tests.abi import running


def test_a_driver_raises_no_sigpipe_in_a_c_frontend(
    tmp_path: Path, staged_environment: dict[str, str], config_dir: Path
) -> None:
    program = running.build_all(tmp_path, "hangup")["hangup"]
    (config_dir / "dll.conf").write_text("hangup\n")
    done = running.run([program], running.with_drivers(staged_environment, tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
