"""Every sample push, recorded, against what the manifest expects of it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from models.queries import FullEvent, event
from tests.pushes import SAMPLES, batch_of, event_of, sample
from wechat.event import EPOCH, spelling
from workers.record import record


def test_every_sample_is_recorded_as_its_manifest_expects(database: Engine) -> None:
    samples = {entry["file"]: (event_of(sample(entry["file"])), entry.get("expected")) for entry in SAMPLES}

    done = record(database, batch_of(*(pushed for pushed, _ in samples.values())))

    assert len({pushed.id for pushed, _ in samples.values()}) == done.stored
    with database.connect() as connection:
        for file, (pushed, expected) in samples.items():
            stored = event(connection, pushed.id)
            assert stored is not None, file
            if expected is not None:
                assert expected == seen(stored, expected), file


def seen(stored: FullEvent, expected: dict[str, Any]) -> dict[str, Any]:
    """What the tables hold, in the manifest's words; the few fields that only `body` holds are taken from there."""
    row, body, details = stored.event, stored.body or {}, stored.details
    is_event = not row.kind.startswith("message_")
    name = body.get("Event") or (spelling(row.kind) if is_event else None)
    result: dict[str, Any] = {
        "to_user": body.get("ToUserName", "gh_e136c6e50636"),
        "from_user": row.open_id,
        "create_time": create_time(row.created_at, body),
        "msg_type": "event" if is_event else spelling(row.kind),
        "event": name,
        "event_key": row.event_key,
        "menu_id": row.wechat_menu_id,
        "msg_id": row.msg_id,
    }
    (message,) = details.get("message", [{}])
    if "pic_url" in expected:
        message["pic_url"] = message.pop("url")
    result |= {key: value for key, value in message.items() if key in expected and key != "msg_type"}
    for (scan,) in [details.get("scan", [])] if "scan" in details else []:
        result["scan"] = {"type": scan["scan_type"], "result": scan["scan_result"]}
    if "photo_send" in details:
        photos = [photo["md5"] for photo in details.get("photo", [])]
        result["pics"] = {"count": details["photo_send"][0]["declared_count"], "md5": photos}
    if "location" in details:
        result |= place(details["location"][0], expected)
    of_body = {"ticket": "Ticket", "status": "Status", "job_msg_id": "MsgID", "thumb_media_id": "ThumbMediaId"}
    of_body["bizmsgmenuid"] = "bizmsgmenuid"
    return result | {key: body.get(name) for key, name in of_body.items() if key in expected}


def create_time(created_at: datetime, body: dict[str, Any]) -> int:
    """One sample's CreateTime is of 1973, before WeChat."""
    return int(body["CreateTime"]) if created_at == EPOCH else int(created_at.astimezone(UTC).timestamp())


def place(row: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    assert row["datum"] is None
    if "gps" in expected:
        position = {name: row[name] for name in ("latitude", "longitude", "precision")}
        return {"gps": as_delivered(position, expected["gps"])}
    position = {"x_lat": row["latitude"], "y_lon": row["longitude"]}
    named = {"scale": str(row["scale"]), "label": row["label"], "poiname": row["poi_name"]}
    return {"location": as_delivered(position, expected["location"]) | named}


def as_delivered(position: dict[str, Decimal], expected: dict[str, str]) -> dict[str, str]:
    """Equal as numbers: a column of 15 decimals gives 23 back as 23.000000000000000."""
    return {
        name: expected[name] if number == Decimal(expected[name]) else str(number) for name, number in position.items()
    }
