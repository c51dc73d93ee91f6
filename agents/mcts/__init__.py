"""Monte Carlo tree search: reaches goals in any world that can be snapshotted.

In state s the search takes the action that maximises (UCT, Kocsis and Szepesvari 2006, "Bandit based Monte-Carlo Planning")

    Q(s, a) + c * sqrt( ln N(s) / N(s, a) )

or (PUCT, Rosin 2011; in the form of Silver et al. 2017)

    Q(s, a) + c * P(s, a) * sqrt( N(s) ) / ( 1 + N(s, a) )

with Q the mean discounted return seen after (s, a), N the visit counts, P the prior and c the exploration constant. The
reward is 1 on reaching the goal and 0 otherwise, so a plan of T actions returns gamma^(T - 1).

Shaping adds F(s, s') = gamma * Phi(s') - Phi(s) to every reward, with Phi = 0 in states that end the episode. Ng, Harada and
Russell 1999 ("Policy invariance under reward transformations") prove that a potential-based F leaves the optimal policies
as they were, whatever Phi is.

`config.py` has the settings, `planner.py` the planner, `tree.py` the search through snapshots, `priors.py` priors from a
language model, `agent.py` the agent. Worlds with a search of their own offer it as `envs.search` says; the household's is in
`envs/household/search`.
"""

from worldschool.agents.mcts.agent import MCTSAgent
from worldschool.agents.mcts.config import MCTSConfig
from worldschool.agents.mcts.planner import MCTS
from worldschool.agents.mcts.tree import SnapshotSearch, puct_score, uct_score

__all__ = ["MCTS", "MCTSAgent", "MCTSConfig", "SnapshotSearch", "puct_score", "uct_score"]
