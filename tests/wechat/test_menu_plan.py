"""Plans from what is live to what should be, carried out on a model of WeChat."""

from hypothesis import given
from hypothesis import strategies as st

from tests.wechat.menus import menus, relatives
from wechat.menu import Menu, PersonalMenu, read
from wechat.menu_plan import Plan, makes_room, plan


def click(name: str) -> dict[str, str]:
    return {"type": "click", "name": name, "key": name}


def menu(default: str, *personal: tuple[str, str]) -> Menu:
    """A default menu, and personalised ones: their tag and their only button."""
    conditional = [
        {"button": [click(name)], "matchrule": {"tag_id": tag}, "menuid": f"{tag}-{name}"} for tag, name in personal
    ]
    return read({"menu": {"button": [click(default)]}, "conditionalmenu": conditional})


def calls(steps: Plan) -> list[str]:
    return [f"{step.call} {step.menuid or step.path}" for step in steps]


def carried_out(live: Menu | None, steps: Plan) -> Menu:
    """What WeChat has afterwards, and an id for each personalised menu."""
    default, personal = (live or Menu(())), list(live.personal if live else ())
    for number, step in enumerate(steps):
        if step.call == "delete":
            personal = [one for one in personal if one.fields["menuid"] != step.menuid]
            continue
        assert step.body is not None
        if step.call == "create":
            default = read({"menu": dict(step.body)})
        else:
            personal += read({"conditionalmenu": [{**step.body, "menuid": f"new-{number}"}]}).personal
    return Menu(default.buttons, tuple(personal), default.fields)


def with_ids(menu: Menu) -> Menu:
    personal = [PersonalMenu(one.buttons, one.rule, {"menuid": str(n)}) for n, one in enumerate(menu.personal)]
    return Menu(menu.buttons, tuple(personal), menu.fields)


def test_nothing_is_done_where_nothing_differs() -> None:
    live = read(
        {
            "menu": {"button": [{**click("a"), "sub_button": []}], "menuid": 1},
            "conditionalmenu": [{"button": [click("b")], "matchrule": {"group_id": 2}, "menuid": 2}],
        }
    )

    assert [] == plan(live, menu("a", ("2", "b")))


def test_fields_that_wechat_does_not_keep_are_no_difference() -> None:
    wanted = read({"menu": {"button": [{**click("a"), "x_note": "ours"}]}})

    assert [] == plan(menu("a"), wanted)


def test_what_wechat_does_not_keep_makes_no_difference() -> None:
    live = menu("a", ("7", "b"))
    conditional = [{"button": [click("b") | {"url": "x"}], "matchrule": {"tag_id": "007", "x": "y"}, "z": 1}]
    wanted = read({"menu": {"button": [click("a") | {"colour": "red"}], "z": 1}, "conditionalmenu": conditional})

    assert [] == plan(live, wanted)


def test_where_there_is_no_menu_the_default_one_comes_first() -> None:
    assert ["create menu", "add conditionalmenu[0]"] == calls(plan(None, menu("a", ("1", "b"))))


def test_only_what_differs_is_made_anew() -> None:
    live = menu("a", ("1", "b"), ("2", "c"))

    assert ["create menu"] == calls(plan(live, menu("x", ("1", "b"), ("2", "c"))))
    assert ["add conditionalmenu[2]"] == calls(plan(live, menu("a", ("1", "b"), ("2", "c"), ("3", "d"))))
    assert ["delete 1-b"] == calls(plan(live, menu("a", ("2", "c"))))


def test_what_comes_after_a_change_is_made_anew_so_that_the_order_stands() -> None:
    live = menu("a", ("1", "b"), ("2", "c"))

    assert ["add conditionalmenu[0]", "add conditionalmenu[1]", "delete 1-b", "delete 2-c"] == calls(
        plan(live, menu("a", ("1", "x"), ("2", "c")))
    )


def test_where_there_is_no_room_the_old_menus_go_before_the_new_ones_come() -> None:
    steps = plan(menu("a", ("1", "b")), menu("x", ("1", "y")))

    assert ["create menu", "delete 1-b", "add conditionalmenu[0]"] == calls(makes_room(steps))


@given(relatives(), st.booleans())
def test_a_plan_leads_to_the_menus_that_are_wanted(both: tuple[Menu, Menu], crowded: bool) -> None:
    live, wanted = with_ids(both[0]), both[1]
    steps = plan(live, wanted)

    assert [] == plan(carried_out(live, makes_room(steps) if crowded else steps), wanted)


@given(relatives(), st.integers(0, 10))
def test_a_plan_that_stopped_halfway_is_completed_by_the_next(both: tuple[Menu, Menu], stop: int) -> None:
    live, wanted = with_ids(both[0]), both[1]
    halfway = with_ids(carried_out(live, plan(live, wanted)[:stop]))

    assert [] == plan(carried_out(halfway, plan(halfway, wanted)), wanted)


@given(menus)
def test_from_nothing_everything_is_made(wanted: Menu) -> None:
    steps = plan(None, wanted)

    assert 1 + len(wanted.personal) == len(steps)
    assert [] == plan(carried_out(None, steps), wanted)
