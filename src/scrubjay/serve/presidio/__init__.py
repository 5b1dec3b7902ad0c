"""A gateway for programs that were written for Presidio's two REST services."""
