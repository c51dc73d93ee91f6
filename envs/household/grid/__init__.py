"""The household on MiniGrid's grid: the same state as the text world, where walking costs steps."""
