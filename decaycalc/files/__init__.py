"""Files: the one reader of text, and JSON and TOML that are what they claim."""
