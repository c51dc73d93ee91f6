"""What is asked: the items of every suite, how they are asked, and the worked examples shown before them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from worldschool.canonical import short_digest
from worldschool.errors import ConfigError
from worldschool.experience.examples import read_examples
from worldschool.models.language import ProbedModel
from worldschool.probes.ask import Answer
from worldschool.probes.config import ProbeConfig, SuiteSettings, files_of
from worldschool.probes.measures import PlanMeasures, Row
from worldschool.probes.overlap import check_overlap, refuse_trained_on
from worldschool.probes.published.reading import read_published
from worldschool.probes.screening import check_items, fitting
from worldschool.probes.suites import draw_items, draw_shots
from worldschool.progress import say
from worldschool.records import Example

TITLES = {
    "object_path": ("Object path tracking", "Through which rooms did a thing go, in order?"),
    "object_location": ("Object location", "Where is a thing now, or where was it before or after a room?"),
    "counting": ("Counting", "How many items are on (or in) a place at the end?"),
    "plan_generation": ("Plan generation", "Which steps carry out a task?"),
    "plan_generation_confusing": (
        "Plans, with things not needed",
        "Which steps carry out a task, when not all is needed?",
    ),
    "activity_recognition": ("Activity recognition", "What is done by these steps?"),
    "activity_inference": ("Activity inference", "What is being done, going by how things stand?"),
    "next_observation": ("Next observation", "What does somebody see after an action?"),
    "missing_step": ("Missing step", "Which step was left out of a plan?"),
    "order_validity": ("Order of steps", "Does a plan work in this order?"),
    "which_came_first": ("Which came first", "Which of two things happened first?"),
    "character_action": ("Who did what", "What did a character do?"),
    "negation": ("Negation", "What was not so, or did not happen?"),
    "witness": ("Witness", "Did somebody see it?"),
    "holding": ("Holding", "What does somebody hold, or who holds it?"),
    "containment": ("Containment", "Where is a thing that lies in something that lies in something else?"),
    "desk": (
        "The desk question",
        "How many things are on the desk, or which, among much that does not matter?",
    ),
    "fitting_product": ("Fitting product", "Which product meets every part of an instruction?"),
    "violated_constraint": ("Violated constraint", "Which part of an instruction does a product miss?"),
    "chosen_option": ("Chosen option", "Which value was chosen first, or last, for a product?"),
    "price_comparison": ("Price comparison", "Which product costs least, or most?"),
    "next_click": ("Next click", "What to do next on a product's page?"),
    "next_page": ("Next page", "What does a click lead to?"),
    "shopping_plan": ("Shopping plan", "Which steps buy what is wanted?"),
    "pydoc:heldout": ("Python's reference prose, held-out half", ""),
    "prose": ("Letters, a story and news", ""),
}


def _read(files: Sequence[str]) -> list[Example]:
    """Return the examples of all files; one that several have is asked once."""
    found = {example.example_id: example for file in files for example in read_examples(file)}
    return list(found.values())


class Asked:
    """The items of every suite, published ones too, and the shots shown before them."""

    def __init__(self, config: ProbeConfig) -> None:
        self._sources = [Path(one) for one in files_of(config.examples)]
        examples = _read(files_of(config.examples))
        self._examples = examples
        tasks = config.suites or {task: SuiteSettings() for task in sorted({e.task for e in examples})}
        self.settings: dict[str, SuiteSettings] = dict(tasks)
        self.items = {t: draw_items(examples, t, s, config.seed) for t, s in self.settings.items()}
        self.titles = {task: TITLES.get(task, (task, "")) for task in self.items}
        self.shots: dict[str, list[list[Example]]] = {}
        if config.shots is not None:
            shown = _read(files_of(config.shots))
            for task, items in self.items.items():
                check_overlap(items, shown)
                self.shots[task] = draw_shots(shown, task, config.shot_count, config.shot_sets, config.seed)
        self._add_published(config)
        refuse_trained_on(self.items, config.adapters)
        asked_from = ", ".join(files_of(config.examples)) or "published"
        for task, items in self.items.items():
            check_items(items, self.settings[task], f"{asked_from}: {task}")
        self.excluded: dict[str, int] = {}

    @property
    def shots_fingerprint(self) -> str:
        """Which worked examples are shown, and in which order: a digest."""
        return short_digest(
            {t: [[shot.prompt for shot in one] for one in sets] for t, sets in self.shots.items()}
        )

    def fit(self, model: ProbedModel) -> None:
        """Leave out, once, the items that do not fit the first model's context, worked examples included.

        Every model is asked the same items: adapters have the base model's context and tokenizer.
        """
        if self.excluded:
            return
        for task, items in self.items.items():
            kept = fitting(model, items, self.settings[task], self.shots.get(task, []), task)
            self.excluded[task] = len(items) - len(kept)
            self.items[task] = kept
            if len(kept) < len(items):
                gone = f"{len(items) - len(kept)} of {len(items)} items are left out"
                say(f"{task}: {gone}, longer than the context of {model.context_length} tokens")
        self._plans = {task: PlanMeasures(items, self._sources) for task, items in self.items.items()}
        self.references = {task: plans.reference() for task, plans in self._plans.items()}

    def others(self, task: str) -> list[Example]:
        """Return every question of a task that could have been drawn."""
        return [example for example in self._examples if example.task == task]

    def _add_published(self, config: ProbeConfig) -> None:
        """Add the published suites; their worked examples, if any, are in their prompts."""
        for suite in read_published(config.published, config.seed):
            if suite.name in self.items:
                raise ConfigError(
                    f"the examples have a task {suite.name}, too",
                    where="published",
                    mend="Choose another name.",
                )
            self.items[suite.name] = list(suite.items)
            self.settings[suite.name] = SuiteSettings(
                items=len(suite.items),
                balance=False,
                max_new_tokens=suite.max_new_tokens,
                normalization=suite.normalization,
            )
            self.titles[suite.name] = (suite.title, suite.about)

    def measures(self, answers: dict[str, dict[str, list[Answer]]]) -> dict[str, dict[str, list[Row]]]:
        """Return what is measured of each model's answers to each suite beside their score, an item a row."""
        return {
            model: {
                task: self._plans[task].of([one.prediction for one in found], model)
                for task, found in by_task.items()
            }
            for model, by_task in answers.items()
        }
