import pytest

from console.command import InvalidInputError
from console.rotation_given import hours, share, weekdays


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mon-fri", "1,2,3,4,5"),
        ("sat,sun", "6,7"),
        ("Sat, Sun", "6,7"),
        ("Tuesday", "2"),
        ("tues-thu, sun", "2,3,4,7"),
        ("sat-mon", "1,6,7"),
        ("sun-sun", "7"),
        ("mon - wed", "1,2,3"),
        ("1-5", "1,2,3,4,5"),
        ("weekend", "6,7"),
        ("weekdays", "1,2,3,4,5"),
        ("周一到周五", "1,2,3,4,5"),
        ("周一至五", "1,2,3,4,5"),
        ("星期六、星期天", "6,7"),
        ("周六，周日", "6,7"),
        ("一 三 五", "1,3,5"),
        ("周末", "6,7"),
        ("每天", "1,2,3,4,5,6,7"),
    ],
)
def test_weekdays_are_read_as_people_write_them(text: str, expected: str) -> None:
    assert expected == weekdays(text)


@pytest.mark.parametrize("text", ["", "m", "mon-", "-fri", "mon-tue-wed", "0", "8", "funday", "周八", "mon;"])
def test_what_is_no_weekday_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is no weekday"):
        weekdays(text)


@pytest.mark.parametrize("text", ["workdays", "工作日", "holidays", "节假日"])
def test_days_of_the_calendar_are_no_weekdays(text: str) -> None:
    with pytest.raises(InvalidInputError, match="--days"):
        weekdays(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11:00-14:00", "11:00-14:00"),
        ("9-12, 14-18:30", "09:00-12:00,14:00-18:30"),
        ("9：00 – 12：00、22:00~2:00", "09:00-12:00,22:00-02:00"),
        ("18:00到24:00", "18:00-24:00"),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, expected: str) -> None:
    assert expected == hours(text)


@pytest.mark.parametrize("text", ["", "11:00", "11:00-", "noon", "11.00-14.00", "11:0-14:00", "11-14-15", "9am-5pm"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="are no hours"):
        hours(text)


@pytest.mark.parametrize(("text", "expected"), [("0.5", 0.5), ("50%", 0.5), (" 7％ ", 0.07), ("1", 1.0), ("-1", -1.0)])
def test_a_share_is_a_number_or_per_cent(text: str, expected: float) -> None:
    assert expected == pytest.approx(share(text))


@pytest.mark.parametrize("text", ["", "%", "half", "5%%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is no share"):
        share(text)
