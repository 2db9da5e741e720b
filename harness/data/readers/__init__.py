"""Readers, one file a family of data sets: paths in, a Dataset out."""
