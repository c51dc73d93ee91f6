"""An agent that proposes its own goals: neither certain nor hopeless ones, from what it has done, failed and not tried."""
