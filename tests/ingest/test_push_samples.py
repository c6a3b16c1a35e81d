"""Every sample of tests/pushes through the door, in every mode and form."""

import json
from typing import Any

import pytest

from tests.ingest.conftest import SHOP, Gate
from tests.pushes import SAMPLES, sample
from wechat.event import Event, spelling

every_sample = pytest.mark.parametrize("wanted", SAMPLES, ids=lambda wanted: wanted["file"])

IN_BODY = {
    "bizmsgmenuid": "bizmsgmenuid",
    "content": "Content",
    "description": "Description",
    "format": "Format",
    "job_msg_id": "MsgID",
    "media_id": "MediaId",
    "pic_url": "PicUrl",
    "recognition": "Recognition",
    "status": "Status",
    "thumb_media_id": "ThumbMediaId",
    "ticket": "Ticket",
    "title": "Title",
    "url": "Url",
}
NESTED = {
    "gps": {"latitude": "Latitude", "longitude": "Longitude", "precision": "Precision"},
    "location": {
        "x_lat": "Location_X",
        "y_lon": "Location_Y",
        "scale": "Scale",
        "label": "Label",
        "poiname": "Poiname",
    },
    "scan": {"type": "ScanType", "result": "ScanResult"},
}


def said(event: Event, name: str) -> object:
    """A value of the manifest's `expected`, read from what was stored."""
    body: dict[str, Any] = event.body or {}
    if name in IN_BODY:
        return body.get(IN_BODY[name])
    if name in NESTED:
        inside = body.get("SendLocationInfo") or body.get("ScanCodeInfo") or body
        return {key: inside.get(field) for key, field in NESTED[name].items()}
    if name == "pics":
        photos = body["SendPicsInfo"]
        return {"count": int(photos["Count"]), "md5": [item["PicMd5Sum"] for item in photos["PicList"]["item"]]}
    is_message = event.kind.startswith("message_")
    return {
        "to_user": body.get("ToUserName", SHOP["original_id"]),
        "from_user": event.open_id,
        "create_time": int(body.get("CreateTime", event.created_at.timestamp())),  # in the body when absurd
        "msg_type": event.kind.removeprefix("message_") if is_message else "event",
        "event": None if is_message else body.get("Event", spelling(event.kind)),
        "event_key": event.event_key,
        "menu_id": event.wechat_menu_id,
        "msg_id": event.msg_id,
    }[name]


def forms(wanted: dict[str, Any], gate: Gate) -> None:
    """Send the sample in every way in which WeChat might."""
    message = sample(wanted["file"])
    as_json = json.dumps(wanted["expected_raw"], ensure_ascii=False).encode()
    for mode in ("plain", "security"):
        gate.push(message, mode)
        gate.push(as_json, mode)
    gate.push(as_json, "json")
    if wanted["file"].endswith(".xml"):
        gate.push(message, "compatible")


@every_sample
def test_a_sample_is_one_event_whatever_its_mode_and_form(gate: Gate, wanted: dict[str, Any]) -> None:
    forms(wanted, gate)

    events = [entry for entry in gate.entries() if isinstance(entry, Event)]
    assert len(gate.entries()) == len(events) >= 5
    assert 1 == len({event.id for event in events})
    assert all((events[0].kind, events[0].body) == (event.kind, event.body) for event in events)


@every_sample
def test_a_sample_says_what_the_manifest_expects(gate: Gate, wanted: dict[str, Any]) -> None:
    gate.push(sample(wanted["file"]))

    event = gate.event()
    assert wanted["msg_type"] == ("event" if wanted["event"] else event.kind.removeprefix("message_"))
    expected = wanted.get("expected", {"event": wanted["event"], "from_user": wanted["expected_raw"]["FromUserName"]})
    assert expected == {name: said(event, name) for name in expected}
