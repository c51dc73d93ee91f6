"""Episodes and examples in the formats of other tools: JSON lines, TRL's two forms, Minari."""
