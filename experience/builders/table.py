"""The table of builders: where each is, its version, and which shortcuts must not answer its questions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BuilderSpec:
    """One row of the table.

    Attributes:
        function: "module:function".
        settings: "module:Settings".
        version: of what it builds.
        rules: the shortcuts (worldschool.experience.questions.shortcuts) that balancing keeps at chance.
        pool: questions about one episode that balancing chooses from; less where each is tried in the world.
        classes: of entities that an episode must have for its questions to make sense.
        fixed: "module:function" that yields questions which are asked in any case, once, where their split is asked.
    """

    function: str
    settings: str
    version: int
    rules: tuple[str, ...] = ()
    pool: int = 8
    classes: tuple[str, ...] = ()
    fixed: str = ""


def _row(
    module: str,
    settings: str,
    version: int = 1,
    rules: str = "",
    pool: int = 8,
    classes: tuple[str, ...] = (),
    fixed: str = "",
) -> BuilderSpec:
    room = f"worldschool.experience.builders.{module}"
    return BuilderSpec(
        f"{room}:build",
        f"{room}:{settings}",
        version,
        tuple(rules.split()),
        pool,
        classes,
        f"{room}:{fixed}" if fixed else "",
    )


_ROOMS, _PAGES = ("room",), ("page",)
_MENTIONS = "recency primacy most_mentioned least_mentioned"
BUILDERS: dict[str, BuilderSpec] = {
    "object_path": _row(
        "object_path", "ObjectPathSettings", rules="last_two most_mentioned_two latest_two", classes=_ROOMS
    ),
    "object_location": _row(
        "object_location",
        "ObjectLocationSettings",
        rules=f"{_MENTIONS} nearest_mention last_place",
        classes=_ROOMS,
    ),
    "counting": _row("counting", "CountingSettings", rules="mentions mentions_and_first", classes=_ROOMS),
    "plan_generation": _row("plan_generation", "PlanGenerationSettings", 2),
    "plan_generation_confusing": _row("plan_generation_confusing", "ConfusingSettings", 2),
    "activity_recognition": _row(
        "activity_recognition", "ActivityRecognitionSettings", 2, rules="longest shortest"
    ),
    "activity_inference": _row(
        "activity_inference", "ActivityInferenceSettings", 2, rules="longest shortest"
    ),
    "next_observation": _row(
        "next_observation", "NextObservationSettings", rules="unseen overlap least_overlap longest shortest"
    ),
    "missing_step": _row(
        "missing_step",
        "MissingStepSettings",
        2,
        rules=f"{_MENTIONS} overlap least_overlap longest shortest",
    ),
    "order_validity": _row("order_validity", "OrderValiditySettings", 2),
    "which_came_first": _row("which_came_first", "WhichCameFirstSettings", rules="longest shortest"),
    "character_action": _row(
        "character_action",
        "CharacterActionSettings",
        rules=f"{_MENTIONS} nearest_mention last_place longest shortest",
    ),
    "negation": _row("negation", "NegationSettings", 2, rules=f"{_MENTIONS} nearest_mention together"),
    "witness": _row("witness", "WitnessSettings", rules="told_before told_after"),
    "holding": _row(
        "holding",
        "HoldingSettings",
        rules=f"{_MENTIONS} nearest_mention last_place longest shortest",
        classes=_ROOMS,
    ),
    "containment": _row(
        "containment",
        "ContainmentSettings",
        2,
        rules=f"{_MENTIONS} nearest_mention last_place longest shortest",
        classes=_ROOMS,
    ),
    "desk": _row(
        "desk",
        "DeskSettings",
        2,
        rules=f"{_MENTIONS} nearest_mention mentions longest shortest",
        pool=4,
        classes=_ROOMS,
        fixed="golden",
    ),
    "fitting_product": _row(
        "shopping.fitting_product",
        "FittingProductSettings",
        2,
        rules=f"{_MENTIONS} longest shortest",
        classes=_PAGES,
    ),
    "violated_constraint": _row(
        "shopping.violated_constraint",
        "ViolatedConstraintSettings",
        2,
        rules=f"{_MENTIONS} nearest_mention longest shortest unseen",
        classes=_PAGES,
    ),
    "chosen_option": _row(
        "shopping.chosen_option",
        "ChosenOptionSettings",
        2,
        rules=f"{_MENTIONS} nearest_mention last_place longest shortest",
        classes=_PAGES,
    ),
    "price_comparison": _row(
        "shopping.price_comparison",
        "PriceComparisonSettings",
        2,
        rules=f"{_MENTIONS}",
        classes=_PAGES,
    ),
    "next_click": _row(
        "shopping.next_click",
        "NextClickSettings",
        2,
        rules=f"{_MENTIONS} longest shortest",
        classes=_PAGES,
    ),
    "next_page": _row(
        "shopping.next_page",
        "NextPageSettings",
        rules="unseen overlap least_overlap longest shortest",
        classes=_PAGES,
    ),
    "shopping_plan": _row("shopping.shopping_plan", "ShoppingPlanSettings", 2, classes=_PAGES),
}
