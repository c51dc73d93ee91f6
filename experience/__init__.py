"""What is kept: the episode store, the collecting runner, and examples built from episodes."""
