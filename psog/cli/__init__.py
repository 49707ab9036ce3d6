"""The `psog` command: parses flags, joins the parts, prints. Nothing imports it."""
