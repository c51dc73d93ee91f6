"""How it is learned: Fisher information, retention, fine-tuning, memory."""
