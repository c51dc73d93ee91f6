"""The one place that states the version; a test holds it equal to pyproject's."""

__version__ = "0.1.0"
