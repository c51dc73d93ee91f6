"""Memory that is freed is kept, in a process of its own so that no other test's memory changes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, pathlib
from worldschool.models.allocation import keep_freed_memory
print(keep_freed_memory())
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
pages = lambda: int(pathlib.Path("/proc/self/statm").read_text().split()[1])
before = pages()
block = libc.malloc(64 << 20)
ctypes.memset(block, 1, 64 << 20)
libc.free(block)
print((pages() - before) * 4096 >> 20)
"""


def _run(**settings: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=kept | settings, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_blocks_stay_with_the_process() -> None:
    told, kept = _run()
    assert told == "True"
    assert int(kept) > 32


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_what_the_user_set_stays() -> None:
    told, kept = _run(MALLOC_TRIM_THRESHOLD_="131072")
    assert told == "False"
    assert int(kept) < 32
