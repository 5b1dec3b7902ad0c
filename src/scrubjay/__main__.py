"""`python -m scrubjay` is the command `scrubjay`."""

from scrubjay.cli import main

main()
