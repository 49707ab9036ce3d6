"""The photodiodes and emitters that come with psog, as TOML files."""
