"""Who acts: agents and planners, through one protocol each."""
