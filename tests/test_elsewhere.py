"""Other systems: without resource, fcntl, fork, links, /proc and affinities all works but Ray and limits of memory.

The tests named here run again in a session in which these are taken away (tests/elsewhere). That is how Windows and
macOS are covered: nothing here has run on one of them.
"""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mediagen.media.names import check_name

TESTS = Path(__file__).parent
AGAIN = ("test_service_uploads.py", "test_service_http.py", "test_media.py")  # .ci/run takes more
# What is of Linux alone: limits of memory, and figures of the process.
NOT = "memory or documents_need_no_other_host"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TESTS / "elsewhere"), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def test_these_are_gone() -> None:
    code = (
        "import os, importlib.util, sys\n"
        "assert not any(hasattr(os, name) for name in ('fork', 'link', 'sched_getaffinity', 'sysconf'))\n"
        "for name in ('resource', 'fcntl'):\n"
        "    try: exec(f'import {name}')\n"
        "    except ImportError: continue\n"
        "    raise SystemExit(name)\n"
        "try: open('/proc/self/statm')\n"
        "except FileNotFoundError: print('gone')\n"
    )
    made = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert made.stdout == "gone\n", made.stderr


def test_the_suite_passes_without_them() -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", f"not ({NOT})", *AGAIN]
    made = subprocess.run(words, cwd=TESTS, env=environment(), capture_output=True, text=True, check=False, timeout=900)
    assert made.returncode == 0, made.stdout[-3000:]


def test_the_server_starts_answers_and_holds_its_folder(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mediagen.sdk.cli", "serve", "--port", "0", "--data-folder", str(tmp_path)]
    server = subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        line = next(line for line in server.stderr if line.startswith(("Serving on", "error")))
        url = line.split()[2].rstrip(";")  # said when it answers
        with urllib.request.urlopen(f"{url}/healthz") as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            assert b"mediagen_jobs" in answer.read()
        second = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False, timeout=120)
        assert second.returncode == 2 and "which another server uses" in second.stderr
        server.kill()
        server.communicate()
        third = subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True)
        server = third
        assert third.stderr is not None
        assert any(line.startswith("Serving on") for line in iter(third.stderr.readline, "")), "a kill frees the folder"
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("name", ["12:30.mp4", "what?.mp4", "con.mp4", "LPT1.gif", "a.mp4.", "nul"])
def test_names_that_windows_keeps(name: str) -> None:
    with pytest.raises(ValueError, match="Windows"):
        check_name(Path(name), windows=True)
    check_name(Path("console.mp4"), windows=True)
