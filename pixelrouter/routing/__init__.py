"""Choosing a backend, paying it at most once, and finishing what it returns."""
