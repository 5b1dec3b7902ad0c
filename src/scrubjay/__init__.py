"""Scrubjay finds personal data in text and takes it out."""

__version__ = "0.1.0.dev0"
