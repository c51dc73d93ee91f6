"""Settings of published suites: where the user's copy is, and what of it is asked."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from worldschool.config import Config

E2wmTask: TypeAlias = Literal[
    "act_recog",
    "act_infer",
    "housework_qa",
    "neg_housework_qa",
    "count",
    "obj_move",
    "plan_gen",
    "plan_gen_confusing",
    "plan_gen_unseen",
    "plan_gen_unseen_confusing",
    "obj_move_path",
]


class CopySettings(Config):
    """What all formats share."""

    path: str
    """The user's copy: a folder, or one file of it."""
    items: int | None = Field(default=None, ge=1)
    """At most this many questions of each task, drawn by the seed of the probe; null: all of them."""
    max_new_tokens: int = Field(default=256, ge=1)
    """For generation: longest answer, in tokens."""


class E2wmSettings(CopySettings):
    """E2WM's evaluation files (Xiang et al. 2023, arXiv 2305.10626), JSON lines as published."""

    format: Literal["e2wm"]
    """Which format this is."""
    tasks: tuple[E2wmTask, ...] = ()
    """Which files; empty: all that are there."""


class BabiSettings(CopySettings):
    """bAbI tasks v1.2 (Weston et al. 2015, arXiv 1502.05698): the folder `en`, `en-10k`, `en-valid` or the like."""

    format: Literal["babi"]
    """Which format this is."""
    tasks: tuple[Annotated[int, Field(ge=1, le=20)], ...] = ()
    """Which of the tasks 1 to 20; empty: all that are there."""
    split: Literal["test", "valid", "train"] = "test"
    """Which files."""
    answers: Literal["choice", "generate"] = "choice"
    """How they are answered: by choice among all answers that the task has, or in the model's own words."""


class RobotHowSettings(CopySettings):
    """RobotHow's programs (Puig et al. 2018, arXiv 1806.07011): a folder of .txt files, searched with all folders in it."""

    format: Literal["robothow"]
    """Which format this is."""
    longest: int = Field(default=20, ge=1)
    """Programs with more steps are left out."""
    shots: int = Field(default=2, ge=0, le=16)
    """Worked examples before each question: short programs of other tasks, which are not asked themselves."""
    described: bool = True
    """Whether the task's description is told beside its name."""


PublishedSettings: TypeAlias = Annotated[
    E2wmSettings | BabiSettings | RobotHowSettings, Field(discriminator="format")
]
