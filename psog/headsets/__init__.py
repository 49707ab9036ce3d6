"""The headsets that come with psog, as TOML files."""
