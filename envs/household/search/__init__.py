"""Tree search in a household without returning to Python: what `agents.mcts` uses where a world offers it."""
