"""Fisher information: how much each weight matters for what a model can do already, measured and kept."""
