"""Transparency: what is figure, what is ground, and nothing in between."""
