"""What can be checked of a published table without its data."""
