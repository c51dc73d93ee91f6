"""The household: rooms, furniture, things and several characters."""
