"""Keys, and pseudonyms that come back. Everything kept is sealed before it reaches a store."""
