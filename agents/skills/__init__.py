"""Skills: named plans with parameters and preconditions, learned from episodes and used again inside later plans."""
