"""Spiking networks made from trained ones: rate code in integers. See docs/spiking.md."""
