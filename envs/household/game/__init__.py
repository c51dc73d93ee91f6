"""The household as a game in a terminal: `worldschool play household`."""
