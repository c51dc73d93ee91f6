"""Example builders: episodes in, questions with computed answers out."""
