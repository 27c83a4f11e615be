"""From one convention's number to another's: two sides, a plan, the result, how far it goes."""
