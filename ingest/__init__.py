"""The public door: verify, parse, hand over, answer."""
