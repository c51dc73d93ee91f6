"""The shop's speed: steps a second in text, searches, index and opening time, memory; generated catalogues of three sizes.

python -m benchmarks.shop [--quick] [--json OUT] [--sizes 1000 100000 1000000]

A life is a fixed script of 8 actions: a search never made before, next page, open a product, description, back, two
options, buy; the legal actions are asked for at every step, and nothing remembers a query. One core. WebShop's own text
environment made 17 steps/s with 1,000 products and 11 with 100,000 on such a machine (simulators.md); it needs Java and
is not run here.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import SUPPRESS
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.harness import Figure, arguments, report
from worldschool.agents.base import agent_config, make_agent
from worldschool.envs import World, make
from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.env import ShopEnv
from worldschool.envs.shop.generated import generated_catalogue
from worldschool.envs.shop.search.bm25 import BM25Index

WORLD = "worldschool/Shop-v0"
NAMES = {1_000: "1k", 100_000: "100k", 1_000_000: "1m"}
ENVIRONMENTS = 64
GOALS = 200


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--sizes", type=int, nargs="+", help="products")
    parser.add_argument("--memory", help=SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(_megabytes_of_environments(options.memory))
        return
    sizes = options.sizes or ([1_000] if options.quick else list(NAMES))
    lives = 50 if options.quick else 500
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORLDSCHOOL_CACHE"] = folder
        for size in sizes:
            figures |= _of_size(size, NAMES.get(size, str(size)), lives, options.seed)
        figures |= _rewards(20 if options.quick else GOALS)
    report(figures, options.seed, options.json)


def _of_size(size: int, name: str, lives: int, seed: int) -> dict[str, Figure]:
    began = time.perf_counter()
    folder = str(generated_catalogue(size, seed).folder)
    made = time.perf_counter() - began
    began = time.perf_counter()
    catalogue = Catalogue.open(Path(folder))
    catalogue.product(size // 2)
    opened = time.perf_counter() - began
    began = time.perf_counter()
    index = catalogue.index
    indexed = time.perf_counter() - began
    print(f"{size} products: made in {made:.1f} s, indexed in {indexed:.1f} s", flush=True)
    began = time.perf_counter()
    index = Catalogue.open(Path(folder)).index
    reopened = time.perf_counter() - began
    queries = _queries(catalogue, seed)  # none is ever made again
    rates, slow = _searches(index, list(itertools.islice(queries, lives)))
    one = _steps_per_s([make(WORLD, catalogue=folder)], list(itertools.islice(queries, lives)), seed)
    lives_of_many = ENVIRONMENTS * max(2, lives // ENVIRONMENTS)
    many = _steps_per_s(
        [make(WORLD, catalogue=folder) for _ in range(ENVIRONMENTS)],
        list(itertools.islice(queries, lives_of_many)),
        seed,
    )
    used = {count: _in_another_process(folder, count) for count in (1, ENVIRONMENTS)}
    return {
        f"text_steps_per_s_{name}": Figure(one, "steps/s, legal actions included", True),
        f"text_steps_per_s_{name}_64_environments": Figure(many, "steps/s, in turns", True),
        f"search_qps_{name}": Figure(rates, "queries/s", True),
        f"search_p95_ms_{name}": Figure(slow, "ms", False),
        f"make_s_{name}": Figure(made, "s", False),
        f"index_s_{name}": Figure(indexed, "s", False),
        f"open_s_{name}": Figure(opened, "s, and one product read", False),
        f"open_index_s_{name}": Figure(reopened, "s", False),
        f"memory_mb_{name}": Figure(used[1], "MB, one environment, a life lived", False),
        f"memory_mb_{name}_64_environments": Figure(used[ENVIRONMENTS], "MB, a life lived in each", False),
    }


def _queries(catalogue: Catalogue, seed: int) -> Iterator[str]:
    """Yield words of titles and attributes of random products, four of them, and a number that makes it new."""
    rng = Random(seed)
    for number in itertools.count():
        product = catalogue.product(rng.randrange(len(catalogue)))
        words = f"{product.title} {' '.join(product.attributes)}".lower().split()
        yield " ".join([*rng.sample(words, min(4, len(words))), f"n{number}"])


def _searches(index: BM25Index, queries: list[str]) -> tuple[float, float]:
    """Return queries a second and the 95th percentile in milliseconds."""
    index.search("compile it")
    taken = []
    for query in queries:
        began = time.perf_counter()
        index.search(query)
        taken.append(time.perf_counter() - began)
    return len(taken) / sum(taken), 1e3 * statistics.quantiles(taken, n=20)[-1]


def _steps_per_s(worlds: list[World], queries: list[str], seed: int) -> float:
    """Return steps a second of lives by the script, a step of each environment in turn."""
    lives = [
        _life(world, query, seed + number)
        for number, (query, world) in enumerate(zip(queries, itertools.cycle(worlds)))
    ]
    for life in lives[: len(worlds)]:
        for _ in life:
            pass
    steps, began = 0, time.perf_counter()
    for first in range(len(worlds), len(lives), len(worlds)):
        for taken in itertools.zip_longest(*lives[first : first + len(worlds)]):
            steps += sum(one is not None for one in taken)
    return steps / (time.perf_counter() - began)


def _life(world: World, query: str, seed: int) -> Iterator[str]:
    """Live the script, yielding after each step; what a page has not is left out (a second option, a next page)."""
    assert isinstance(world, ShopEnv)
    world.reset(seed=seed)

    def do(action: str) -> str:
        legal = world.legal_actions()
        assert action.startswith("search") or action in legal, action
        error = world.step(action)[4]["error"]
        assert error is None, error
        return action

    yield do(f"search[{query}]")
    if "click[next >]" in world.legal_actions():
        yield do("click[next >]")
    asin = world.shop.catalogue.product(world.visit.rows_shown[0]).asin.lower()
    yield do(f"click[{asin}]")
    yield do("click[description]")
    yield do("click[< prev]")
    firsts: dict[str, str] = {}
    for label, (name, _) in world.visit.labels.items():
        firsts.setdefault(name, label.lower())
    for label in list(firsts.values())[:2]:
        yield do(f"click[{label}]")
    yield do("click[buy now]")


def _in_another_process(folder: str, count: int) -> float:
    command = [sys.executable, "-m", "benchmarks.shop", "--memory", f"{count}:{folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def _megabytes_of_environments(asked: str) -> float:
    """Return this process's unshared memory after a life in each of so many environments."""
    count, folder = asked.split(":", 1)
    worlds = [make(WORLD, catalogue=folder) for _ in range(int(count))]
    for number, world in enumerate(worlds):
        for _ in _life(world, "gift", number):
            pass
    status = Path("/proc/self/status").read_text()
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")) / 1024


def _rewards(goals: int) -> dict[str, Figure]:
    """Return mean rewards on held-out instructions: the scripted shopper, MCTS, random exploration."""
    agents = {
        "shopper": ("shopper", {}, 60),
        "mcts": ("mcts", {"simulations": 200, "rollout_depth": 6}, 30),
        "random": ("random", {"strategy": "count"}, 30),
    }
    figures = {}
    for name, (agent, settings, limit) in agents.items():
        world = make(WORLD, split="heldout", max_steps=limit)
        rewards = [_reward(world, agent, settings, seed) for seed in range(goals)]
        spread = 1.96 * statistics.stdev(rewards) / len(rewards) ** 0.5
        figures[f"heldout_reward_{name}"] = Figure(
            statistics.fmean(rewards), f"+- {spread:.3f}, n {goals}", True
        )
        figures[f"heldout_success_{name}"] = Figure(
            sum(reward == 1.0 for reward in rewards) / goals, "of instructions", True
        )
    return figures


def _reward(world: World, agent_name: str, settings: dict[str, object], seed: int) -> float:
    observation, info = world.reset(seed=seed)
    agent = make_agent(agent_name, agent_config(agent_name, settings), world, seed)
    agent.reset(world.goal, info)
    reward = 0.0
    while (action := agent.act(observation, info)) is not None:
        observation, reward, terminated, truncated, info = world.step(action)
        if terminated or truncated:
            break
    return reward


if __name__ == "__main__":
    main()
