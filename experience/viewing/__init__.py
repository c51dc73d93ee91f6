"""A page to browse the episodes of a dataset: one HTML file that needs nothing else."""

from worldschool.experience.viewing.view import ViewReport, view

__all__ = ["ViewReport", "view"]
