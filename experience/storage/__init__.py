"""How the episode store is kept: shards, manifest, lock, reading and writing, checking and mending, derived datasets."""
