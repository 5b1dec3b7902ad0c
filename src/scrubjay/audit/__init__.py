"""The log of who did what, which nobody can change unseen (docs/spec/audit.md)."""
