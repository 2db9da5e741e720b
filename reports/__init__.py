"""Finished runs to tables and pictures; pure functions of the runs."""
