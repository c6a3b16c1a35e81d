"""A year of rotations in virtual time, with faults, crashes and people in between; `python -m tests.chaos.year`."""
