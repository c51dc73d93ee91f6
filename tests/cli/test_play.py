"""`worldschool play household`: whole games from piped lines, and the screens one by one."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from tests.envs.solving import solve
from worldschool.cli.main import main
from worldschool.envs.household import HouseholdEnv
from worldschool.envs.household.floorplan import FloorPlan
from worldschool.envs.household.game.abbreviations import is_short_for, meanings
from worldschool.envs.household.game.floor_map import draw_map, initials, legend
from worldschool.envs.household.game.play import SETTINGS, Game, read_settings
from worldschool.errors import ConfigError

PLAY = [sys.executable, "-m", "worldschool.cli", "play", "household"]


def piped(lines: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Play a game by piped lines, in a process of its own."""
    return subprocess.run(
        [*PLAY, *arguments], input=lines, capture_output=True, text=True, check=False, timeout=300
    )


def played(lines: list[str], seed: int = 5, **settings: object) -> tuple[str, bool]:
    """Play in this process; returns what was shown and whether the goal was reached."""
    out = io.StringIO()
    console = Console(file=out, width=100, highlight=False)
    game = Game(HouseholdEnv(**{**SETTINGS, **settings}), seed, console)
    left = iter(lines)

    def read() -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    won = game.play(read)
    return out.getvalue(), won


def winning_lines(seed: int, **settings: object) -> list[str]:
    env = HouseholdEnv(**{**SETTINGS, **settings})
    env.reset(seed=seed)
    return solve(env)


# -- the command ----------------------------------------------------------------------------------------------------


def test_a_game_is_won_by_piped_lines() -> None:
    lines = winning_lines(12, split="heldout")
    done = piped("\n".join(["help", "goal", *lines]) + "\n", "--split", "heldout", "--seed", "12")
    assert done.returncode == 0, done.stderr
    assert "To do: " in done.stdout and "[ ]" in done.stdout
    assert "Done: " in done.stdout
    steps = f"{len(lines)} step{'' if len(lines) == 1 else 's'}"
    assert re.sub(r"\s+", " ", done.stdout).strip().endswith(f"You reached the goal in {steps}.")
    assert "\x1b" not in done.stdout, "plain when it is no terminal"
    assert f"> {lines[0]}\n" in done.stdout, "piped lines are echoed"


def test_the_end_of_input_leaves_cleanly() -> None:
    done = piped("map\n", "--seed", "1")
    assert done.returncode == 0 and done.stdout.endswith("You leave after 0 steps.\n")
    assert "Traceback" not in done.stderr


def test_an_interrupt_leaves_cleanly() -> None:
    process = subprocess.Popen(
        PLAY + ["--seed", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    shown = ""
    while not shown.endswith("\n> "):
        shown += process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.endswith("You leave after 0 steps.\n") and "Traceback" not in err


BAD = [
    (["--set", "room=3"], "worldschool: Household: unknown setting 'room'."),
    (["--set", "rooms=9"], "worldschool: Household: rooms: found 9."),
    (["--set", "rooms"], "worldschool: --set: 'rooms' is not key=value."),
    (["--set", "rooms=[3"], "worldschool: --set: the value of rooms is not valid YAML: '[3'."),
    (["--split", "test"], "worldschool: Household: split: found 'test'. Accepted: 'train', 'validation', 'heldout'."),
    (["--seed", "-1"], "'--seed'"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error"), BAD)
def test_bad_settings_are_named_in_one_paragraph(arguments, error, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["play", "household", *arguments])
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert error in said.err and "Traceback" not in said.err
    assert said.out == ""


def test_settings_are_read_as_yaml() -> None:
    found = read_settings("heldout", ["rooms=[2, 3]", "goal=random", "focus=true", "max_steps=7"])
    assert found == {"split": "heldout", "rooms": [2, 3], "goal": "random", "focus": True, "max_steps": 7}
    assert read_settings("train", []) == {**SETTINGS, "split": "train"}
    with pytest.raises(ConfigError, match="is not key=value"):
        read_settings("train", ["=3"])


# -- a game ---------------------------------------------------------------------------------------------------------


def test_a_number_does_the_action_of_the_list() -> None:
    shown, _ = played(["actions", "1", "2"])
    listed = dict(re.findall(r"(\d+) (walk to [a-z ]+?)(?=\s{2,}|\n)", shown))
    assert f"Mei walked to the {listed['1'].removeprefix('walk to ')}." in shown
    assert "There is no action 900" in played(["900"])[0]
    assert "There is no action 0" in played(["0"])[0]


def test_short_forms_do_where_they_are_clear() -> None:
    assert "Mei walked to the living room." in played(["w liv"])[0]
    shown, _ = played(["w ch", "q"])
    assert "Which of these?" in shown and "walk to chest" in shown and "walk to chandelier" in shown
    assert shown.endswith("You leave after 0 steps.\n")


SHORT = [
    ("g app", "grab apple", True),
    ("p ap t", "put apple on table", True),
    ("put apple table", "put apple on table", True),
    ("w k", "walk to kitchen", True),
    ("w", "walk to kitchen", True),
    ("k", "walk to kitchen", False),
    ("walk kitchen to", "walk to kitchen", False),
    ("g apples", "grab apple", False),
    ("", "grab apple", False),
]


def test_a_whole_name_is_meant_before_the_beginning_of_a_longer_one() -> None:
    actions = ["grab apple", "grab apple 2", "walk to kitchen", "walk to kitchen table"]
    assert meanings("g apple", actions) == ["grab apple"]
    assert meanings("w kitchen", actions) == ["walk to kitchen"]
    assert meanings("w kit", actions) == ["walk to kitchen", "walk to kitchen table"]
    assert meanings("g apple 2", actions) == ["grab apple 2"]
    assert meanings("eat", actions) == []


@pytest.mark.parametrize(("text", "action", "expected"), SHORT)
def test_what_is_short_for_what(text, action, expected) -> None:
    assert is_short_for(text, action) is expected


def test_what_cannot_be_done_costs_nothing_and_says_why() -> None:
    shown, _ = played(["xyzzy", "open chest", "grab the moon"])
    assert "'xyzzy' is not an action; 'help' tells how" in shown
    assert "You are not close to the chest; walk to chest first." in shown
    assert "There is no 'the moon' in this house" in shown
    assert shown.endswith("You leave after 0 steps.\n")


def test_undo_takes_steps_back() -> None:
    shown, _ = played(["undo", "walk to sofa", "sit on sofa", "undo", "u", "goal"])
    assert "There is nothing to take back." in shown
    assert shown.count("The last step is taken back.") == 2
    first, *_, last = [part for part in shown.split("You are Mei") if part.startswith(", in")]
    assert last.startswith(first.split("'actions'")[0])
    assert shown.endswith("You leave after 0 steps.\n")


def test_the_goal_is_ticked_off() -> None:
    lines = ["goal", "walk to sofa", "grab comb", "drop comb", "sit on sofa", "goal"]
    shown, won = played(lines)
    assert not won
    before, after = shown.split("To do: ")[2:4]
    assert "[ ] Mei is on the sofa" in before and "[x] Mei is on the sofa" in after
    assert "[ ] Mei is lying down" in after
    assert played([*lines, "lie on sofa"])[1]


def test_when_the_steps_are_used_up_one_can_still_undo() -> None:
    shown, won = played(
        ["walk to sofa", "look", "walk to sofa", "walk to chest", "undo", "lie on sofa"], max_steps=2
    )
    assert "That was the last of 2 steps, and the goal is not reached." in shown
    assert "There are no steps left" in shown
    assert "Done: take a nap!" in shown.replace("\n", " ") and won


def test_several_characters_are_told_of_and_can_be_played_in_turn() -> None:
    shown, _ = played(["walk to garage"] * 4, characters=3, control="all", goal="random")
    assert len(set(re.findall(r"You are (\w+), in the", shown))) == 3
    assert "without" not in shown and "begin the action" not in shown


def test_without_a_goal_one_may_wander() -> None:
    shown, won = played(["goal", "walk to sofa"], goal="none")
    assert "To do: nothing: do as you please." in shown and not won


def test_brackets_in_what_is_typed_are_no_markup() -> None:
    assert "'[bold]hello' is not an action" in played(["[bold]hello"])[0]


def test_colours_are_for_terminals() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=100, highlight=False)
    Game(HouseholdEnv(**SETTINGS), 5, console).play(lambda: "quit")
    assert "\x1b[" in out.getvalue()


# -- the map --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_the_map_shows_every_room_every_piece_and_you_once(seed: int) -> None:
    env = HouseholdEnv(rooms=(2, 8), furniture=(1, 8))
    env.reset(seed=seed)
    house = env._now().premises.house
    for name in (house.rooms[0], *(name for name, _, _ in house.furniture)):
        env.set_goal(env.goal)
        if env.step(f"walk to {name}")[3]:
            break
        lines = draw_map(env.view, env._actor)
        text = "\n".join(lines)
        assert len(lines) == house.plan.height
        assert text.count("@") == 1
        if name != house.rooms[0]:
            short = initials([one for one, _ in house.plan.furniture])
            assert f"{short[name]}@" in text or any(
                f"{short[one]}@" in text for one in env.view.close_to(env._actor)
            )
        for word in " ".join(house.rooms).split():
            assert word in text
        for short, _ in (row for _, rows in legend(env.view) for row in rows):
            assert re.search(rf" {short}[ @]", text), short
    assert sorted(name for _, rows in legend(env.view) for _, name in rows) == sorted(
        n for n, _, _ in house.furniture
    )


def test_you_are_in_the_room_you_are_in_on_the_map() -> None:
    env = HouseholdEnv(rooms=(4, 5))
    env.reset(seed=0)
    plan = env._now().premises.house.plan
    for room, area in plan.areas:
        env.step(f"walk to {room}")
        lines = draw_map(env.view, env._actor)
        (y,) = (row for row, line in enumerate(lines) if "@" in line)
        columns = [x for x in range(plan.width) for _ in range(4 if is_floor(x, plan) else 1)]
        assert (columns[lines[y].index("@")], y) in area


def is_floor(x: int, plan: FloorPlan) -> bool:
    return any(area.x <= x < area.x + area.width for _, area in plan.areas)


def test_the_map_of_a_common_house_fits_a_terminal() -> None:
    env = HouseholdEnv()
    for seed in range(100):
        env.reset(seed=seed)
        assert max(map(len, draw_map(env.view, env._actor))) <= 79


def test_initials_are_two_letters_and_all_different() -> None:
    names = [
        "chair",
        "chair 2",
        "chest",
        "china cabinet",
        "coffee table",
        "coat rack",
        "counter",
        "a",
        "at",
        "aa",
        "aaa",
    ]
    found = initials(names)
    assert len(set(found.values())) == len(names) and all(len(short) == 2 for short in found.values())
    assert found["coffee table"] == "ct"
