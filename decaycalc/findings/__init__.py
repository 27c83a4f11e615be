"""Findings: rules with stable codes that tell where a run's weight decay is not what it seems."""
