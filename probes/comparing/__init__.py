"""Probe runs beside each other: `worldschool compare`."""
