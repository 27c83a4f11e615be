"""Published training recipes as data, and importers of other programs' configurations.

Nothing is imported here: `nearest` knows the recipes' figures without the recipes.
"""
