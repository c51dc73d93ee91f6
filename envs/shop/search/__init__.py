"""How products are found: texts to terms, terms to a ranking."""
