"""What finds identifiers. Each detector looks at all of a text or raises."""
