"""The household as a game for a person: `worldschool play household`.

Everything that is played goes through `HouseholdEnv`; here is only what is shown and how it is typed. What cannot be done
or read costs nothing, and any step can be taken back.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from worldschool.config import apply_overrides
from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.game.abbreviations import meanings
from worldschool.envs.household.game.floor_map import YOU, draw_map, legend
from worldschool.envs.household.words.missions import goal_text, upper
from worldschool.records import Snapshot

SETTINGS: dict[str, Any] = {"goal": "activity", "max_steps": 100}
"""What is set for a game if nobody says otherwise."""
SHOWN_ACTIONS = 12
HELP = """\
Write what to do, in your own words if you like: "walk to kitchen", "take the apple", "put apple on desk".
Short forms do where they are clear: "w kit", "g app". A number does that action of the list.
You have to walk to a thing before you can touch it, and you have two hands.

  actions, a   everything you can do now, numbered
  look, l      what you see, again (costs no step)
  goal, g      what is to be done, and what of it is done
  map, m       the floor plan
  undo, u      take the last step back
  help, h, ?   this
  quit, q      leave"""
WORDS = {"a": "actions", "l": "look", "g": "goal", "m": "map", "u": "undo", "h": "help", "?": "help", "q": "quit",
         "exit": "quit", "mission": "goal"}  # fmt: skip


def read_settings(split: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a game's world.

    Args:
        split: which houses.
        overrides: texts like "characters=2"; the value is read as YAML.

    Raises:
        ConfigError: a text is not key=value, or its value no YAML.
    """
    return apply_overrides({**SETTINGS, "split": split}, overrides, "characters=2")


def play(settings: dict[str, Any], seed: int | None = None, console: Console | None = None) -> bool:
    """Let a person play one episode, reading lines from standard input until it is won or left.

    Args:
        settings: the fields of HouseholdConfig.
        seed: what the world is reset with; None draws one and shows it.
        console: where it is shown; None shows it on standard output, in colour on a terminal.

    Returns:
        Whether the goal was reached.

    Raises:
        WorldError: a setting is not accepted.
        KeyboardInterrupt: passed on, after a word of farewell.
    """
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    game = Game(HouseholdEnv(**settings), seed, console or Console(highlight=False, soft_wrap=False))
    return game.play(_read_line)


def _read_line() -> str:
    if sys.stdin.isatty():
        return input("> ")
    # Not input's own prompt: an interrupt while it is written is lost there (CPython clears what its flush raises).
    print("> ", end="", flush=True)
    line = input()
    print(line)  # a script's lines are not echoed by any terminal
    return line


class Game:
    """One episode being played.

    Args:
        env: the world; it is reset here.
        seed: what with.
        console: where everything is shown.
    """

    def __init__(self, env: HouseholdEnv, seed: int, console: Console) -> None:
        self._env, self._console = env, console
        self._observation, self._info = env.reset(seed=seed)
        self._past: list[Snapshot] = []
        self._over = self._truncated = False
        self._listed: list[str] = []
        self._names = sorted((entity.name for entity in env.entities()), key=len, reverse=True)
        self._title = f"The household, house {seed} of the split {self._info['split']}"
        self._commands: dict[str, Callable[[], None]] = {
            "actions": self._show_actions,
            "look": self._show_place,
            "goal": self._show_goal,
            "map": self._show_map,
            "undo": self._undo,
            "help": lambda: self._say(HELP),
            "quit": self._quit,
        }

    def play(self, read: Callable[[], str]) -> bool:
        """Play until the goal is reached, or somebody quits, or `read` raises EOFError; returns whether it was reached."""
        self._say(f"[bold]{escape(self._title)}[/]\nWrite 'help' to see how to play.\n")
        self._show_mission()
        self._show_place()
        try:
            try:
                while not self._over:
                    self._obey(read().strip())
            except EOFError:  # an interrupt that comes with it is seen in here
                self._say("")
                self._quit()
        except KeyboardInterrupt:
            self._say("")
            self._quit()
            raise
        return bool(self._info["success"])

    # -- what is typed ------------------------------------------------------------------------------------------------

    def _obey(self, line: str) -> None:
        word = " ".join(line.split()).casefold()
        command = self._commands.get(WORDS.get(word, word))
        if command is not None:
            command()
        elif self._truncated:
            self._say("There are no steps left; 'undo' takes the last one back, 'quit' ends the game.")
        elif line.isdecimal():
            self._do_number(int(line))
        elif line:
            self._do(line)

    def _do_number(self, number: int) -> None:
        if not self._listed:
            self._listed = self._actions()
        if 1 <= number <= len(self._listed):
            self._do(self._listed[number - 1])
        else:
            self._say(f"There is no action {number}; 'actions' lists them all.")

    def _do(self, text: str) -> None:
        """Do what a text says, or what it is short for; what cannot be done costs nothing."""
        before = self._env.snapshot()
        error = self._step(text)
        if error is not None:
            self._observation, self._info = self._env.restore(before)
            meant = meanings(text, self._actions())
            if len(meant) > 1:
                self._listed = meant
                self._say("Which of these?")
                self._list(meant)
                return
            if not meant:
                problem, forms, _ = error.partition("; write one of these:")
                mend = "; 'help' tells how to write one, 'actions' lists them." if forms else ""
                self._say(f"[yellow]{escape(problem + mend)}[/]")
                return
            self._step(meant[0])
        self._past.append(before)
        self._tell()

    def _step(self, text: str) -> str | None:
        """Do an action. Returns what was wrong with it, or None."""
        if self._env.config["control"] == "all":
            text = f"{self._info['actor']}: {text}"
        self._observation, _, _, self._truncated, self._info = self._env.step(text)
        error: str | None = self._info["error"]
        return error

    def _tell(self) -> None:
        """Tell what was done, and what is to be seen now."""
        me = self._info["actor"]
        seen = [event for event in self._info["events"] if me in event.seen_by]
        told = self._env.narrate(seen, "plain", Random(0))
        self._say(f"\n[italic]{escape(' '.join(told))}[/]")
        if self._info["success"]:
            self._win()
            return
        self._show_place()
        if self._truncated:
            self._say(
                f"[yellow]That was the last of {self._steps(len(self._past))}, and the goal is not reached.[/]"
            )

    def _win(self) -> None:
        self._over = True
        what = f": {self._info['activity']}" if self._info["activity"] else ""
        self._say(
            f"[bold green]Done{escape(what)}! You reached the goal in {self._steps(len(self._past))}.[/]"
        )

    def _undo(self) -> None:
        if not self._past:
            self._say("There is nothing to take back.")
            return
        self._observation, self._info = self._env.restore(self._past.pop())
        self._truncated = False
        self._say("\n[italic]The last step is taken back.[/]")
        self._show_place()

    def _quit(self) -> None:
        self._over = True
        self._say(f"You leave after {self._steps(len(self._past))}.")

    # -- what is shown ------------------------------------------------------------------------------------------------

    def _say(self, markup: str) -> None:
        self._console.print(markup)

    @staticmethod
    def _steps(count: int) -> str:
        return f"{count} step{'' if count == 1 else 's'}"

    def _show_mission(self) -> None:
        text = self._env.goal.text or "nothing: do as you please."
        self._say(f"[bold cyan]To do:[/] {escape(text)}\n")

    def _show_goal(self) -> None:
        self._show_mission()
        goal = self._env.goal
        for predicate, holds in zip(goal.predicates, self._env.satisfied(goal), strict=True):
            told = upper(goal_text([predicate]))
            self._say(f"  {escape('[x]' if holds else '[ ]')} {escape(told)}")

    def _show_place(self) -> None:
        first, *rest = self._observation.split("\n")
        self._console.print(self._coloured(first, "bold"))
        for line in rest:
            self._console.print(self._coloured(f"  {line}" if line else ""))
        self._listed = self._actions()
        near = [action for action in self._listed if not action.startswith("walk to ")][:SHOWN_ACTIONS]
        more = len(self._listed) - len(near)
        left = self._env.config["max_steps"] - len(self._past)
        self._say("")
        if near:
            self._list(near)
        if more:
            also = "more, mostly places to walk to" if near else "things to do, mostly places to walk to"
            self._say(f"[dim]'actions' lists {more} {also}; {self._steps(left)} left.[/]")

    def _coloured(self, line: str, style: str = "") -> Text:
        text = Text(line, style=style)
        text.highlight_words(self._names, "cyan")
        text.highlight_words(["closed", "open", "on and", "off", "dirty", "unplugged", "nothing"], "yellow")
        return text

    def _actions(self) -> list[str]:
        """Return what can be done now, without a name before it: first what is at hand, then rooms, then other walks."""
        rooms = {entity.name for entity in self._env.entities() if entity.class_ == "room"}
        legal = self._env.legal_actions()
        if self._env.config["control"] == "all":
            legal = [action.partition(": ")[2] for action in legal]

        def rank(action: str) -> int:
            return 0 if not action.startswith("walk to ") else 1 if action[8:] in rooms else 2

        return sorted(legal, key=rank)

    def _show_actions(self) -> None:
        self._listed = self._actions()
        self._list(self._listed)

    def _list(self, actions: Sequence[str]) -> None:
        numbered = [Text(f"{number:3} {action}") for number, action in enumerate(actions, start=1)]
        self._console.print(Columns(numbered, equal=True, padding=(0, 2)))

    def _show_map(self) -> None:
        view = self._env.view
        for line in draw_map(view, self._info["actor"]):
            self._console.print(Text(line), no_wrap=True, overflow="ignore", crop=False)
        self._say(f"\n  {YOU}: you")
        for room, furniture in legend(view):
            told = ", ".join(f"{short} {name}" for short, name in furniture)
            self._say(f"  [bold]{escape(room)}[/]: {escape(told)}")
