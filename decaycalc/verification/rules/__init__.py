"""A small numpy interpreter of update rules, and the models that `verify` trains with them.

Each convention's record carries its update rule as one line of text (`Convention.update`). Running
that line is independent of the record's monomial, so a wrong constant in either one is caught.
"""
