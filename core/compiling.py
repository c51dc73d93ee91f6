"""Numba functions whose compiled form is kept between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import njit

from worldschool.files import cache_folder


def kept(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, and keep it in worldschool's cache folder (or in NUMBA_CACHE_DIR).

    Numba's own choice would be beside the source: files there outlive an uninstall, and what is left of the package's
    folder then hides an editable install.
    """
    named = numba.config.CACHE_DIR
    try:
        numba.config.CACHE_DIR = named or str(cache_folder() / "numba")
        return njit(cache=True)(function)
    except RuntimeError:  # no folder can be written: compile in every process
        return njit(function)
    finally:
        numba.config.CACHE_DIR = named
