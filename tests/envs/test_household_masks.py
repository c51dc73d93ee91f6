"""Legal actions by rows of bits: the same as trying every action."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.forms import FORMS
from worldschool.envs.household.houses import draw_house
from worldschool.envs.household.premises import Premises

CONFIGS = [
    HouseholdConfig(characters=3),
    HouseholdConfig(rooms=(2, 2), furniture=(1, 3), objects=(12, 20), characters=2),
    HouseholdConfig(rooms=(4, 4), furniture=(4, 5), objects=(50, 50), characters=6),  # rows of two words
]


def tried(engine: Engine, actor: int) -> list[bool]:
    """Return for every candidate whether doing it to a copy of the state succeeds."""
    copy = Engine(engine.premises)
    found = []
    for candidate, (_, x, _) in enumerate(engine.premises.candidates.tolist()):
        copy.memory[:] = engine.memory
        found.append(x != actor and copy.act(actor, candidate) == "")
    return found


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.sampled_from(CONFIGS), st.integers(0, 10**6), st.integers(0, 60))
def test_mask_is_what_trying_every_action_finds(config, seed, steps):
    premises = Premises(draw_house(config, Random(seed)))
    engine = Engine(premises, seed)
    engine.begin()
    people, rng = config.characters, Random(seed)
    # Mostly moving things about and sitting down: walking alone would leave hands empty.
    weight = np.where(np.isin(premises.forms[: premises.effective], [0]), 1, 8)
    for step in range(steps):
        legal = engine.legal(step % people).astype(np.float64) * weight
        engine.act(step % people, rng.choices(range(len(legal)), legal)[0])
    for actor in range(people):
        expected = tried(engine, actor)
        assert engine.legal(actor, effective=False).tolist() == expected
        assert engine.legal(actor).tolist() == expected[: premises.effective]


def test_states_reached_at_random_try_almost_every_form():
    succeeded = set()
    for seed in range(30):
        premises = Premises(draw_house(CONFIGS[seed % 2], Random(seed)))
        engine = Engine(premises, seed)
        engine.begin()
        rng = Random(seed)
        for step in range(120):
            legal = np.flatnonzero(engine.legal(step % 2, effective=False))
            kinds = premises.forms[legal]
            kind = rng.choice(sorted(set(kinds.tolist())))
            engine.act(step % 2, int(rng.choice(legal[kinds == kind].tolist())))
            succeeded.add(kind)
    never = {FORMS[number].form for number in set(range(len(FORMS))) - succeeded}
    assert never <= {"look", "cut {thing}", "lie on {thing}", "take off {thing}", "wear {thing}"}, never
