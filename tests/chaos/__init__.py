"""Brokers that are killed, frozen, full or emptied while pushes arrive: `make chaos`."""
