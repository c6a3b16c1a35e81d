"""People who follow, leave, scan the account's codes, and let it know where they are (PROTOCOL section 5.2)."""

from wechat.parse import Fields
from wechat.simulator.scene import Said, Scene, event
from wechat.simulator.wire import Bare
from wechat.simulator.words import PLACES


def subscribe(scene: Scene) -> list[Said]:
    """By search, by one of the account's QR codes, or with a payment."""
    by_search: Fields = {"EventKey": ""} if scene.chance(0.9) else {}
    by_code = {"EventKey": f"qrscene_{_scene_value(scene)}", "Ticket": _ticket(scene)}
    by_payment = {"EventKey": f"last_trade_no_{scene.random.randrange(10**27, 10**28)}"}
    fields = scene.random.choices((by_search, by_code, by_payment), (50, 45, 5))[0]
    return event(scene.crowd.join(), "subscribe", fields)


def unsubscribe(scene: Scene) -> list[Said]:
    return event(scene.crowd.leave(), "unsubscribe", {"EventKey": ""})


def scan_account_code(scene: Scene) -> list[Said]:
    return event(scene.crowd.someone(), "SCAN", {"EventKey": _scene_value(scene), "Ticket": _ticket(scene)})


def report_location(scene: Scene) -> list[Said]:
    place = scene.random.choice(PLACES)
    fields = {
        "Latitude": Bare(f"{place.latitude + scene.random.gauss(0, 0.05):.6f}"),
        "Longitude": Bare(f"{place.longitude + scene.random.gauss(0, 0.05):.6f}"),
        "Precision": Bare(f"{scene.random.choice((15, 30, 65, 119.38504)):.6f}"),
    }
    return event(scene.crowd.someone(), "LOCATION", fields)


def _scene_value(scene: Scene) -> str:
    return scene.random.choice(("0", "123", "poster_spring_2", "shop_0755_南山", str(scene.random.randrange(100))))


def _ticket(scene: Scene) -> str:
    return "gQ" + scene.media_id()
