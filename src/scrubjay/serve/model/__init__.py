"""The language-model gateway: what goes to a model has placeholders, what comes back has names."""
