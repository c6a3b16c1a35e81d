"""Made-up menus: such as WeChat takes, and any that have a menu's structure."""

from typing import Any

from hypothesis import strategies as st

from wechat.menu import CONSOLE_TYPES, FIELDS, Button, Menu, PersonalMenu

# No control characters but a line end: JSON escapes the others. No lone halves of characters: they have no UTF-8.
texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1, max_size=12)
names = st.sampled_from(["菜单", "今日歌曲", "搜索", "Menu", "on", "12:30", "007", "🍜 点餐"]) | texts.map(
    lambda text: text[:4]
)
keys = st.sampled_from(["V1001", "V1002", "rselfmenu_0_0", "null", "1e5"]) | texts
urls = st.builds("https://{}/{}".format, st.sampled_from(["a.cn", "www.例子.cn", "B.cn:8080", "c.cn", "d.cn"]), texts)
values = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
unknown = st.dictionaries(texts.map("x_{}".format), values | st.lists(values, max_size=2), max_size=1)

_FIELDS = {"url": urls, "key": keys}


@st.composite
def leaves(draw: st.DrawFn) -> Button:
    type_ = draw(st.sampled_from(sorted(FIELDS)))
    fields: dict[str, Any] = {"name": draw(names), "type": type_}
    fields |= {name: draw(_FIELDS.get(name, keys)) for name in FIELDS[type_]}
    return Button(fields | {name: value for name, value in draw(unknown).items() if value is not None})


rules = st.dictionaries(
    st.sampled_from(["tag_id", "client_platform_type"]), st.sampled_from(["1", "2", "3"]), min_size=1, max_size=2
)


def menus_of(leaf: st.SearchStrategy[Button]) -> st.SearchStrategy[Menu]:
    named = names.map(lambda name: {"name": name})
    parents = st.builds(Button, named, st.lists(leaf, min_size=1, max_size=5).map(tuple))
    bars = st.lists(leaf | parents, min_size=1, max_size=3).map(tuple)
    return st.builds(Menu, bars, st.lists(st.builds(PersonalMenu, bars, rules), max_size=3).map(tuple))


menus = menus_of(leaves())


@st.composite
def relatives(draw: st.DrawFn) -> tuple[Menu, Menu]:
    """Two menus that have much in common."""
    some = draw(st.lists(leaves(), min_size=2, max_size=6))
    pool = [*some, *(Button({**one.fields, "name": draw(names)}) for one in some[:2])]
    pool += [Button({**one.fields, "type": "click", "key": draw(keys)}) for one in some[-2:]]
    both = menus_of(st.sampled_from(pool))
    return draw(both), draw(both)


# Any structure that can be read: wrong types, missing fields, fields that belong elsewhere, too many of everything.
_some_fields = st.fixed_dictionaries(
    {},
    optional={
        "name": names,
        "type": st.sampled_from(["", "CLICK", "teleport", *CONSOLE_TYPES, *FIELDS]),
        "key": keys,
        "url": urls | keys,
        "appid": keys,
        "pagepath": keys,
        "media_id": keys,
        "x": st.lists(values, max_size=2),
    },
)


def _odd_button(fields: dict[str, Any], buttons: tuple[Button, ...] | None = None) -> Button:
    """With a type, an empty list of sub-buttons is none."""
    return Button(fields, buttons or (None if fields.get("type") else buttons))


_odd_buttons = st.recursive(
    st.builds(_odd_button, _some_fields),
    lambda inner: st.builds(_odd_button, _some_fields, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=6,
)
_odd_bars = st.lists(_odd_buttons, max_size=4).map(tuple)
_odd_rules = st.dictionaries(
    st.sampled_from(["tag_id", "client_platform_type", "sex", "x"]),
    keys | st.sampled_from(["1", "2"]),
    max_size=3,
)
_odd_fields = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(-9, 9) | keys, max_size=2)
_odd_personals = st.builds(PersonalMenu, _odd_bars, _odd_rules, _odd_fields)
odd_menus = st.builds(Menu, _odd_bars, st.lists(_odd_personals, max_size=2).map(tuple), _odd_fields)
