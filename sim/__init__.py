"""The simulator: eyes, lids, optics, users, eye movements and electronics, down to ADC counts."""
