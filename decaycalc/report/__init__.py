"""Results to plain tables, and tables to text, JSON, CSV and Markdown."""
