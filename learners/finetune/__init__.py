"""Fine-tuning a causal language model on examples."""
