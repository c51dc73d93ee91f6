"""Which reader reads which format."""

from __future__ import annotations

from collections.abc import Mapping

from worldschool.errors import ConfigError
from worldschool.probes.published.babi import read_babi
from worldschool.probes.published.e2wm import read_e2wm
from worldschool.probes.published.robothow import read_robothow
from worldschool.probes.published.settings import BabiSettings, E2wmSettings, RobotHowSettings
from worldschool.probes.published.suite import PublishedSuite


def read_published(
    published: Mapping[str, E2wmSettings | BabiSettings | RobotHowSettings], seed: int
) -> list[PublishedSuite]:
    """Read the configured suites, in their order; a suite is called NAME_TASK, NAME being its key.

    Args:
        published: name to settings.
        seed: draws the items, where not all are asked.

    Raises:
        ConfigError: two suites have the same name.
        DatasetError: a file is missing or malformed; it, the line and the field are named.
    """
    found: dict[str, PublishedSuite] = {}
    for name, settings in published.items():
        for suite in _read(name, settings, seed):
            if suite.name in found:
                raise ConfigError(
                    f"two suites are called {suite.name}",
                    where=f"published.{name}",
                    mend="Choose another name.",
                )
            found[suite.name] = suite
    return list(found.values())


def _read(
    name: str, settings: E2wmSettings | BabiSettings | RobotHowSettings, seed: int
) -> list[PublishedSuite]:
    if isinstance(settings, E2wmSettings):
        return read_e2wm(name, settings, seed)
    if isinstance(settings, BabiSettings):
        return read_babi(name, settings, seed)
    return read_robothow(name, settings, seed)
