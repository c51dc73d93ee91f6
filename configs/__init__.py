"""YAML presets, one folder per verb."""
