"""Retention: what holds a model near its old self while it learns."""
