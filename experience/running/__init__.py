"""How a collecting run is carried out: its configuration, its loop, rounds, and who lives the episodes."""
