"""The household in English: what is seen, told, asked for and refused, and reading what others write."""
