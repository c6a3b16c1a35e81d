"""What the HTTP API answers, as schemas for those who write programs against it: the columns of `caidan stats --json`.

A test compares them with the answers.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class About(BaseModel):
    """Which account and which time; of tables that have more rows than were asked for, where the next ones are."""

    account: str
    timezone: str
    since: datetime
    until: datetime
    next: dict[str, str]


class Counts(BaseModel):
    """Users are different people, exactly; before is the time that is compared with."""

    taps: int
    users: int
    taps_per_user: float | None
    taps_before: int
    users_before: int
    change: float | None


class ButtonsRow(Counts):
    """Without `by` there is no period; the other columns say what was tapped, by `of`."""

    period: date | datetime | None = None
    name: str | None = None
    key: str | None = None
    kind: str | None = None
    version: int | None = None
    menu_id: str | None = None
    account: str | None = None


class Buttons(About):
    by: str | None
    of: str
    total: Counts | None = Field(None, description="of everything together; not with of=account")
    rows: list[ButtonsRow]


class Side(BaseModel):
    number: int
    live_seconds: int
    taps: int
    users: int
    active: int
    taps_per_user: float | None
    taps_per_active: float | None
    share: float | None


class CompareRow(BaseModel):
    """`share` is of active followers those who tapped: its difference is the second's less the first's, and the verdict
    is of that. Active are followers who did anything while the menu was live, its times rounded to whole hours."""

    first_taps: int | None
    first_users: int | None
    first_active: int | None
    first_taps_per_user: float | None
    first_taps_per_active: float | None
    first_share: float | None
    second_taps: int | None
    second_users: int | None
    second_active: int | None
    second_taps_per_user: float | None
    second_taps_per_active: float | None
    second_share: float | None
    share_estimate: float | None
    share_low: float | None
    share_high: float | None
    share_p: float | None
    verdict: Literal["more", "fewer", "no_difference", "too_few", "unequal_time", "one_side"]


class CompareButtonRow(CompareRow):
    name: str
    key: str
    other: str | None
    other_key: str | None
    aligned_by: Literal["target", "position", "none"]


class Compare(About):
    first: Side
    second: Side
    whole: list[CompareRow] = []
    buttons: list[CompareButtonRow] = []


class RotationRow(BaseModel):
    publication: int
    rotation: int
    version: int
    started_at: datetime
    ended_at: datetime | None
    taps: int
    users: int
    taps_per_user: float | None
    taps_per_hour: float


class Rotation(About):
    windows: list[RotationRow]


class Target(BaseModel):
    kind: str
    key: str | None
    name: str | None


class PathsRow(BaseModel):
    steps: list[str]
    named: str | None
    taps: int
    users: int
    share: float


class Paths(About):
    button: Target
    taps: int
    users: int
    before: list[PathsRow] = []
    after: list[PathsRow] = []


class FunnelRow(BaseModel):
    step: str
    users: int
    share: float | None
    share_of_previous: float | None
    median_minutes: float | None


class Funnel(About):
    within_seconds: int
    after: Literal["first", "previous"]
    steps: list[FunnelRow]


class CohortsRow(BaseModel):
    """`returned_1`, `share_1` and so on tell of the weeks after; null of those that have not come."""

    model_config = ConfigDict(extra="allow")

    week: date
    users: int
    __pydantic_extra__: dict[str, float | None]


class Cohorts(About):
    cohorts: list[CohortsRow]


class ScansCodeRow(BaseModel):
    code: str | None
    kind: str
    symbology: str | None
    scans: int
    users: int
    first_at: datetime
    last_at: datetime


class ScansKindRow(BaseModel):
    name: str | None
    key: str | None
    kind: str
    code_kind: str
    scans: int
    codes: int


class ScansButtonRow(BaseModel):
    name: str | None
    key: str | None
    kind: str
    scans: int
    users: int


class Scans(About):
    codes: list[ScansCodeRow] = []
    kinds: list[ScansKindRow] = []
    buttons: list[ScansButtonRow] = []
    new: list[ScansCodeRow] = []


class PhotosButtonRow(BaseModel):
    name: str | None
    key: str | None
    kind: str
    sends: int
    users: int
    declared: int
    listed: int
    per_send: float
    differing: int
    empty: int


class PhotosSendRow(BaseModel):
    photos: int
    sends: int
    users: int


class PhotosSharedRow(BaseModel):
    md5: str
    users: int
    times: int
    first_at: datetime
    last_at: datetime


class Photos(About):
    buttons: list[PhotosButtonRow] = []
    sends: list[PhotosSendRow] = []
    shared: list[PhotosSharedRow] = []


class PlacesNameRow(BaseModel):
    name: str | None
    address: str | None
    times: int
    users: int


class PlacesCellRow(BaseModel):
    geohash: str
    latitude: float
    longitude: float
    times: int
    users: int
    south: float
    west: float
    north: float
    east: float


class Places(About):
    """Of what fewer followers than `at_least` chose, only how much there is."""

    level: int
    at_least: int
    names_more: int
    names_hidden: int
    names_hidden_times: int
    cells_more: int
    cells_hidden: int
    cells_hidden_times: int
    unnamed: int
    nowhere: int
    names: list[PlacesNameRow] = []
    cells: list[PlacesCellRow] = []


class HealthDelayRow(BaseModel):
    way: Literal["to_door", "to_table", "in_house"]
    p50_ms: int
    p90_ms: int
    p99_ms: int
    most_ms: int


class HealthTappedRow(BaseModel):
    name: str | None
    key: str | None
    kind: str
    taps: int
    unattributed: int
    users: int
    last_at: datetime


class HealthUntappedRow(BaseModel):
    name: str | None
    key: str
    kind: str


class HealthSilenceRow(BaseModel):
    begin: datetime
    end: datetime
    seconds: int
    missing: int


class Health(About):
    events: int
    late: int
    early: int
    has_live_menu: bool
    delays: list[HealthDelayRow] = []
    unattributed: list[HealthTappedRow] = []
    gone: list[HealthTappedRow] = []
    untapped: list[HealthUntappedRow] = []
    silence: list[HealthSilenceRow] = []


class AccountRow(BaseModel):
    name: str
    timezone: str


class Accounts(BaseModel):
    accounts: list[AccountRow]
    next: dict[str, str]


class ProblemDetails(BaseModel):
    type: str
    title: str
    status: int
    reason: str
    detail: str | None = None


ANSWERS: Mapping[str, type[About]] = {
    "buttons": Buttons,
    "compare": Compare,
    "rotation": Rotation,
    "paths": Paths,
    "funnel": Funnel,
    "cohorts": Cohorts,
    "scans": Scans,
    "photos": Photos,
    "places": Places,
    "health": Health,
}
"""By the name of the question."""
