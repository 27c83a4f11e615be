"""Code and settings for other frameworks that do what a conversion says."""
