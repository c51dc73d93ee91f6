"""Which mind: language models and embedders, scoring, general texts, and `models pull`."""
