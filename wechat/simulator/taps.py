"""What a tap on each type of button pushes (PROTOCOL section 4); VIEW has the tag MenuId, as captured."""

from wechat.parse import Fields
from wechat.simulator import codes
from wechat.simulator.menu import Button
from wechat.simulator.messages import image, place_message
from wechat.simulator.scene import Said, Scene, event
from wechat.simulator.wire import Bare
from wechat.simulator.words import PLACES, Place

_OLD_CLIENT = 0.01  # repeats EventKey inside the info element, as in captures of 2014


def tap(scene: Scene) -> list[Said]:
    """Somebody taps something."""
    tapped = scene.tap()
    return press(scene, *tapped) if tapped else []


def press(scene: Scene, person: str, button: Button) -> list[Said]:
    """A follower taps a button, and sends what it asks for."""
    if button.type.startswith("scancode_"):
        return event(person, button.type, {"EventKey": button.key, **_scan(scene, button)})
    if button.type.startswith("pic_"):
        return _pictures(scene, person, button)
    if button.type == "location_select":
        return _place(scene, person, button)
    name = button.type.upper() if button.type in ("click", "view") else button.type
    menu = {"MenuId": Bare(button.menu_id)} if button.menu_id else {}
    return event(person, name, {"EventKey": button.key, **menu})


def _scan(scene: Scene, button: Button) -> Fields:
    if scene.chance(0.005):
        return {}  # reported; nobody knows why
    if scene.chance(0.6):
        info = {"ScanType": "barcode", "ScanResult": codes.barcode(scene.random)}
    else:
        info = {"ScanType": "qrcode", "ScanResult": codes.qr_code(scene.random)}
    return {"ScanCodeInfo": info | _nested_key(scene, button)}


def _pictures(scene: Scene, person: str, button: Button) -> list[Said]:
    """A burst of one to nine pictures, each followed by its image message; none at times from the album."""
    if button.type == "pic_weixin" and scene.chance(0.12):
        md5s = []
    else:
        md5s = [f"{scene.random.getrandbits(128):032x}" for _ in range(min(int(scene.random.paretovariate(0.9)), 9))]
    if len(md5s) > 1 and scene.chance(0.05):
        md5s[-1] = md5s[0]  # the same picture twice
    declared = len(md5s) + (1 if md5s and scene.chance(0.005) else 0)
    items = {"item": [{"PicMd5Sum": md5} for md5 in md5s]} if md5s else Bare("")
    info = {"Count": declared, "PicList": items, **_nested_key(scene, button)}
    return [
        *event(person, button.type, {"EventKey": button.key, "SendPicsInfo": info}),
        *(Said(person, image(scene), delay=number + scene.random.random()) for number in range(1, len(md5s) + 1)),
    ]


def _place(scene: Scene, person: str, button: Button) -> list[Said]:
    """A place picked on the map, then the same place as a message."""
    place = scene.random.choice(PLACES)
    latitude = place.latitude + scene.random.gauss(0, 0.02)
    longitude = place.longitude + scene.random.gauss(0, 0.02)
    decimals = scene.random.choice((15, 15, 6, 6, 6, 2, 0))
    info = {
        "Location_X": f"{latitude:.{decimals}f}",
        "Location_Y": f"{longitude:.{decimals}f}",
        "Scale": str(scene.random.choice((12, 15, 15, 16, 18))),
        "Label": place.label,
        "Poiname": place.poi_name,
        **_nested_key(scene, button),
    }
    picked = Place(latitude, longitude, place.label, place.poi_name)
    return [
        *event(person, "location_select", {"EventKey": button.key, "SendLocationInfo": info}),
        Said(person, place_message(scene, picked), delay=scene.random.choice((0, 0, 1, 2))),
    ]


def _nested_key(scene: Scene, button: Button) -> Fields:
    return {"EventKey": button.key} if scene.chance(_OLD_CLIENT) else {}
