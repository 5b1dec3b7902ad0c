"""A folder's way through, file by file: the same tree comes out clean, whatever is in it, and what
could not be read is on a list instead.

    walk ─▶ workers: read, clean, write aside ─▶ in order: name, log, release, note ─▶ report
"""
