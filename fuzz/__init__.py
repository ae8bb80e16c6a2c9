"""Fuzzers of everything that reads what strangers wrote: ``python fuzz/run.py``. See docs/hostile.md."""
