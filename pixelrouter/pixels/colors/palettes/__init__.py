"""Palette files, read and written: ``files.py`` chooses the format; one module a family of formats."""
