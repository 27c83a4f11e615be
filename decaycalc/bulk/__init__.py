"""Bulk: one conversion a row of JSON lines or CSV, streaming, as exact as the single command."""
