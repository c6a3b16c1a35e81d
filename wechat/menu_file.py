"""Menus in files, and what else people write: JSON or YAML, read with a place for every mistake of writing."""

import json
import math
import re
from collections.abc import Container
from typing import Any, NoReturn

import yaml

from wechat.menu import Menu
from wechat.menu_shapes import definition_of, short

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 50_000  # YAML's aliases let a short text say a thousand times more

# These are text however YAML reads them: `key: 007`, `name: 12:30`, `name: on`.
_TEXT = frozenset({"name", "type", "key", "url", "appid", "pagepath", "media_id", "article_id", "value"})
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_FULL_WIDTH = frozenset("：，“”‘’｛｝［］【】")  # what a Chinese keyboard types for the signs of JSON and YAML
_CODES = {"empty": 44002, "not_utf8": 65318, "bad_json": 40016, "not_a_menu": 40016}
_TAG = "tag:yaml.org,2002:"


class FileError(ValueError):
    """A text that cannot be read as a menu; `reason` is one of a few fixed words, the place counts from 1."""

    def __init__(
        self, reason: str, line: int | None = None, column: int | None = None, excerpt: str = "", **facts: Any
    ) -> None:
        super().__init__(reason)
        self.reason, self.line, self.column, self.excerpt, self.facts = reason, line, column, excerpt, facts

    @property
    def errcode(self) -> int | None:
        """What WeChat would answer to these bytes, as far as that is known."""
        return _CODES.get(self.reason)


def parse(content: bytes, name: str = "") -> dict[str, Any]:
    """The definition that the file means.

    Raises FileError.
    """
    tree = read_tree(content, name, _TEXT)
    if not isinstance(tree, dict):
        raise FileError("not_a_menu")
    if tree.get("errcode") and not {"menu", "button", "selfmenu_info"} & tree.keys():
        raise FileError("error_answer", errcode=tree["errcode"], errmsg=tree.get("errmsg", ""))
    return definition_of(tree)


def read_tree(content: bytes, name: str, texts: Container[str]) -> Any:
    """What the file says, with the fields that are `texts` as text however YAML reads them. The name says which
    language it is in; without an ending, its first sign.

    Raises FileError.
    """
    text = _decoded(content)
    if not text.strip():
        raise FileError("empty")
    ending = name.lower().rpartition(".")[2]
    is_json = ending == "json" or (ending not in ("yaml", "yml") and text.lstrip()[0] in "{[")
    return _read_json(text) if is_json else _read_yaml(text, texts)


def to_yaml(menu: Menu) -> str:
    """The menu as people write it; without what WeChat adds."""
    return yaml.dump(short(menu), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1 << 20)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _dump_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML has more kinds of line ends than others, and folds them; between double quotes they are escaped.
    style = '"' if re.search("[\n\r\x85\u2028\u2029]", text) else None
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)


_Dumper.add_representer(str, _dump_text)


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise FileError("too_large", limit=MAX_BYTES)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileError("not_utf8", charset="UTF-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError("not_utf8", line, charset=_likely_charset(content)) from None


def _likely_charset(content: bytes) -> str:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "GBK"


class _DuplicateKeyError(Exception):
    pass


def _read_json(text: str) -> Any:
    try:
        tree = json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_not_a_number
        )
    except json.JSONDecodeError as error:
        _fail("bad_json", text, error.lineno, error.colno)
    except _DuplicateKeyError as error:
        raise _place_of_duplicate(text) or FileError("duplicate_key", key=str(error)) from None
    except RecursionError:
        raise FileError("too_deep", limit=MAX_DEPTH) from None
    _limit_depth(tree)
    return tree


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _DuplicateKeyError(name)
        found[name] = value
    return found


def _place_of_duplicate(text: str) -> FileError | None:
    """Where it is, which Python's JSON does not say. JSON is YAML but for its tabs, which stand between signs only."""
    try:
        _read_yaml(text.replace("\t", " "))
    except FileError as error:
        return error if error.reason == "duplicate_key" else None
    return None


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise FileError("bad_number", number=text[:20])
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise FileError("bad_number", number=text[:20])
    return number


def _not_a_number(text: str) -> NoReturn:
    raise FileError("bad_number", number=text)


def _limit_depth(tree: Any, depth: int = 1) -> None:
    if depth > MAX_DEPTH:
        raise FileError("too_deep", limit=MAX_DEPTH)
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _limit_depth(value, depth + 1)


def _read_yaml(text: str, texts: Container[str] = ()) -> Any:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        _fail(
            "bad_sign", text, before.count("\n") + 1, len(before) - before.rfind("\n"), code=f"U+{error.character:04X}"
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            raise FileError("bad_yaml") from None
        _fail("bad_yaml", text, mark.line + 1, mark.column + 1)
    except RecursionError:
        raise FileError("too_deep", limit=MAX_DEPTH) from None
    return None if root is None else _Tree(text, texts).value(root)


class _Tree:
    """Values out of YAML's nodes: what JSON knows, and text."""

    def __init__(self, text: str, texts: Container[str]) -> None:
        self.text = text
        self.texts = texts  # the names of fields that are text
        self.nodes = 0

    def value(self, node: yaml.Node, *, is_text: bool = False, depth: int = 1) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH:
            self.fail("too_deep", node, limit=MAX_DEPTH)
        if self.nodes > MAX_NODES:
            self.fail("too_many_values", node, limit=MAX_NODES)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, depth=depth + 1) for one in node.value]
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        return _scalar(node, is_text)

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fail("bad_yaml", key)
            if key.value in found:
                self.fail("duplicate_key", key, key=key.value)
            found[key.value] = self.value(value, is_text=key.value in self.texts, depth=depth + 1)
        return found

    def fail(self, reason: str, node: yaml.Node, **facts: Any) -> NoReturn:
        _fail(reason, self.text, node.start_mark.line + 1, node.start_mark.column + 1, **facts)


def _scalar(node: yaml.Node, is_text: bool) -> Any:
    text, kind = str(node.value), node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if is_text:
        return text
    if kind == "bool" and text.lower() in ("true", "false"):  # not yes, no, on and off, which YAML once took for such
        return text.lower() == "true"
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _fail(reason: str, text: str, line: int, column: int, **facts: Any) -> NoReturn:
    lines = text.split("\n")
    excerpt = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
    if reason in ("bad_json", "bad_yaml"):  # which may notice a line too late
        facts["full_width"] = "".join(sorted(_FULL_WIDTH.intersection("".join(lines[max(0, line - 2) : line]))))
    raise FileError(reason, line, column, excerpt, **facts) from None
