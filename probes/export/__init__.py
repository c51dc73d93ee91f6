"""Suites in the forms of other people's evaluation tools.

To add one: a module with a function `(asked, config, out) -> {task name: items}`, and one line in `FORMS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from worldschool.errors import ConfigError, nearest
from worldschool.probes.asked import Asked
from worldschool.probes.config import ProbeConfig
from worldschool.probes.export.lm_eval import write_tasks
from worldschool.runs import claim_output

FORMS: dict[str, Callable[[Asked, ProbeConfig, Path], dict[str, int]]] = {"lm-eval": write_tasks}
"""What `worldschool probe --export` takes, and what writes it."""


def export_suites(config: ProbeConfig, form: str, out: Path) -> dict[str, Any]:
    """Write all suites of a configuration for another tool; no model is loaded.

    Args:
        config: as for `probe`; with `shots`, each suite is written behind worked examples too.
        form: one of `FORMS`.
        out: the output directory.

    Returns:
        "path", and "tasks": name to number of items.

    Raises:
        ConfigError: the form is unknown.
        UserError: as `probe`.
    """
    if form not in FORMS:
        raise ConfigError(
            f"{form!r} is no known form",
            where="--export",
            mend=f"Known: {', '.join(FORMS)}.{nearest(form, FORMS)}",
        )
    asked = Asked(config)
    claim_output(out, f"probe --export {form}", config.to_json(), config.seed)
    return {"path": str(out), "tasks": FORMS[form](asked, config, out)}
