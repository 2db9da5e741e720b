"""Runs and judges systems for LLM-based recommendation; knows none of them by name."""

__version__ = "0.1.0"
