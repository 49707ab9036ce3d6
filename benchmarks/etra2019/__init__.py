"""The protocol of the ETRA 2019 paper, its four networks, and psog's own beside them."""
