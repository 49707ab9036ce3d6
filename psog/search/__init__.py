"""Architectures under a budget of instructions: a space of networks, short trainings, and who does best."""
