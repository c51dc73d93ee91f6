"""The scripted shopper: products on every page of results that it looks through are opened and bought."""

import pytest

from tests.envs import small_shop
from worldschool.agents.shopper import ShopperAgent, ShopperConfig
from worldschool.envs import make

SHOP = "worldschool/Shop-v0"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    return str(small_shop.write(tmp_path_factory.mktemp("shop") / "small"))


def shop(config, **settings):
    """Shop once; returns the actions and the last reward."""
    world = make(SHOP, max_steps=200, **settings)
    observation, info = world.reset(seed=0)
    agent = ShopperAgent(ShopperConfig(**config), world, seed=0)
    agent.reset(world.goal, info)
    actions, reward = [], 0.0
    while (action := agent.act(observation, info)) is not None:
        actions.append(action)
        observation, reward, terminated, truncated, info = world.step(action)
        assert info["error"] is None
        if terminated or truncated:
            break
    return actions, reward


@pytest.mark.parametrize("compat", [None, "webshop"])
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_what_is_on_the_first_page_is_bought_however_many_are_looked_through(catalogue, compat, split):
    settings = {"catalogue": catalogue, "compat": compat, "split": split}
    for pages in (1, 2, 5):
        actions, reward = shop({"pages": pages}, **settings)
        assert (actions[-1], reward) == ("click[buy now]", 1.0), pages


def test_products_of_every_page_are_opened(catalogue):
    actions, reward = shop({"pages": 2, "candidates": 16}, catalogue=catalogue, split="train")
    opened = [action for action in actions if action.startswith("click[b0candle")]
    assert set(opened) == {f"click[b0candle{number:02d}]" for number in range(16)}
    assert opened[-1] == "click[b0candle00]" and reward == 1.0
