"""What all pages share; see `psog.web.assets`."""
