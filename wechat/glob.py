"""Patterns in which `*` stands for any text, and every other sign for itself.

No regular expressions: whoever writes one can make it take forever, and these are matched before a push is answered.
"""


class Glob:
    """A pattern, read once. Matching takes time in proportion to the text, whatever the pattern."""

    __slots__ = ("_first", "_last", "_length", "_middle")

    def __init__(self, pattern: str) -> None:
        first, *rest = pattern.split("*")
        self._first = first
        self._last = rest[-1] if rest else None  # None: there is no star
        self._middle = [part for part in rest[:-1] if part]
        self._length = len(pattern) - len(rest)  # what a text must have at least

    def matches(self, text: str) -> bool:
        if self._last is None:
            return text == self._first
        if len(text) < self._length or not text.startswith(self._first) or not text.endswith(self._last):
            return False
        # Where one part may stand in several places, the first leaves most room for the others.
        at, end = len(self._first), len(text) - len(self._last)
        for part in self._middle:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True
