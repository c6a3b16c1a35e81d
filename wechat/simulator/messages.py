"""What followers send (PROTOCOL section 5.1). The MsgId is added with the envelope."""

from wechat.parse import Fields
from wechat.simulator.scene import Act, Repertoire, Said, Scene
from wechat.simulator.wire import Bare
from wechat.simulator.words import AWKWARD_TEXTS, LINKS, PLACES, SATISFACTION, SPOKEN, TEXTS, Place


def message(scene: Scene) -> list[Said]:
    return _MESSAGES.play(scene)


def image(scene: Scene) -> Fields:
    media_id = scene.media_id()
    return {"MsgType": "image", "PicUrl": f"http://mmbiz.qpic.cn/mmbiz_jpg/{media_id}/0", "MediaId": media_id}


def place_message(scene: Scene, place: Place) -> Fields:
    return {
        "MsgType": "location",
        "Location_X": Bare(f"{place.latitude:.6f}"),
        "Location_Y": Bare(f"{place.longitude:.6f}"),
        "Scale": scene.random.choice((15, 16, 20)),
        "Label": place.label,
    }


def _text(scene: Scene) -> list[Said]:
    if scene.chance(0.03):
        menu_id, content = scene.random.choice(SATISFACTION)
        return _said(scene, {"MsgType": "text", "Content": content, "bizmsgmenuid": Bare(menu_id)})
    content = scene.random.choice(AWKWARD_TEXTS if scene.chance(0.01) else TEXTS)
    article = {"MsgDataId": str(scene.random.randrange(10**9, 10**10)), "Idx": 1} if scene.chance(0.02) else {}
    return _said(scene, {"MsgType": "text", "Content": content, **article})


def _image(scene: Scene) -> list[Said]:
    return _said(scene, image(scene))


def _voice(scene: Scene) -> list[Said]:
    fields = {"MsgType": "voice", "MediaId": scene.media_id(), "Format": scene.random.choice(("amr", "speex"))}
    if scene.chance(0.5):
        fields["Recognition"] = scene.random.choice(SPOKEN)
    if scene.chance(0.5):
        fields["MediaId16K"] = scene.media_id()
    return _said(scene, fields)


def _video(scene: Scene) -> list[Said]:
    kind = scene.random.choice(("video", "shortvideo"))
    return _said(scene, {"MsgType": kind, "MediaId": scene.media_id(), "ThumbMediaId": scene.media_id()})


def _location(scene: Scene) -> list[Said]:
    return _said(scene, place_message(scene, scene.random.choice(PLACES)))


def _link(scene: Scene) -> list[Said]:
    title, description, url = scene.random.choice(LINKS)
    return _said(scene, {"MsgType": "link", "Title": title, "Description": description, "Url": url})


def _said(scene: Scene, fields: Fields) -> list[Said]:
    return [Said(scene.crowd.someone(), fields)]


_PARTS: tuple[tuple[float, Act], ...] = (
    (70, _text),
    (14, _image),
    (6, _voice),
    (4, _video),
    (4, _location),
    (2, _link),
)
_MESSAGES = Repertoire.of(*_PARTS)
