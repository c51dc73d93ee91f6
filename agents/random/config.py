"""Settings of the random agent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from worldschool.config import Config

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CountConfig(Config):
    """Settings of strategy "count"."""

    greed: float = Field(default=4.0, ge=0, allow_inf_nan=False)
    """The exponent k: actions are drawn in proportion to bonus ** k. 0 is uniform; the larger, the surer the action that
    was tried least is taken."""


class BabbleConfig(Config):
    """Settings of strategy "babble"."""

    simulations: int = Field(default=50, ge=0)
    """Simulations of tree search that are spent on a plan for each goal; 0 never searches."""
    patience: int = Field(default=8, ge=1)
    """Steps that a goal without a plan is pursued by weighted random actions, before another is drawn."""
    focus: float = Field(default=32.0, ge=1, allow_inf_nan=False)
    """How much more likely such an action is for each name in it that matters to the goal."""


class RandomConfig(Config):
    """Settings of the random agent."""

    verb_weights: dict[str, Weight] = Field(default_factory=dict)
    """Weight of each verb (the first word of an action, after any "NAME: "); verbs not named have 1.0, and a verb of
    weight 0 is never chosen. Empty: every legal action is as likely as any other, whatever its verb."""
    strategy: Literal["uniform", "count", "babble"] = "uniform"
    """"uniform": any legal action. "count": rather what was tried least in this episode. "babble": draws goals of its own
    and pursues one after the other."""
    count: CountConfig = CountConfig()
    """Settings of strategy "count"."""
    babble: BabbleConfig = BabbleConfig()
    """Settings of strategy "babble"."""

    @model_validator(mode="after")
    def _check_settings_are_used(self) -> RandomConfig:
        for name in ("count", "babble"):
            if name in self.model_fields_set and name != self.strategy:
                raise ValueError(
                    f"settings of {name!r} are given, but the strategy is {self.strategy!r}; set strategy: {name}"
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the resolved configuration as plain JSON values, without the settings of strategies not in use.

        A uniform agent is written as it was before there were other strategies, so that its episodes keep their ids.
        """
        values = super().to_json()
        used = {"verb_weights"} if self.strategy == "uniform" else {"verb_weights", "strategy", self.strategy}
        return {name: value for name, value in values.items() if name in used}
