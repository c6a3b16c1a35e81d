"""What the platform itself reports: jobs, subscription notices, customer service, verification (PROTOCOL 5.3 on)."""

from wechat.parse import Fields
from wechat.simulator.scene import Act, Repertoire, Said, Scene, event
from wechat.simulator.wire import Bare

_PLATFORM = "mphelper"


def notice(scene: Scene) -> list[Said]:
    return _NOTICES.play(scene)


def _template_sent(scene: Scene) -> list[Said]:
    status = scene.random.choices(("success", "failed:user block", "failed: system failed"), (95, 4, 1))[0]
    fields = {"MsgID": _number(scene), "Status": status}
    return event(scene.crowd.someone(), "TEMPLATESENDJOBFINISH", fields)


def _mass_sent(scene: Scene) -> list[Said]:
    total, failed = scene.random.randrange(1000, 9000), scene.random.randrange(20)
    article = {"ArticleIdx": 1, "UserDeclareState": 0, "AuditState": 2, "OriginalArticleUrl": "", "CanReprint": 1}
    articles = {"item": [article] * scene.random.randint(1, 3)}
    link = {"ArticleIdx": 1, "ArticleUrl": "http://mp.weixin.qq.com/s?__biz=MzA5&mid=2650001&idx=1"}
    fields = {
        "MsgID": _number(scene),
        "Status": scene.random.choice(("send success", "send success", "err(30003)")),
        "TotalCount": total,
        "FilterCount": total,
        "SentCount": total - failed,
        "ErrorCount": failed,
        "CopyrightCheckResult": {"Count": len(articles["item"]), "ResultList": articles, "CheckState": 2},
        "ArticleUrlResult": {"Count": 1, "ResultList": {"item": [link]}},
    }
    return event(_PLATFORM, "MASSSENDJOBFINISH", fields)


def _published(scene: Scene) -> list[Said]:
    info: Fields = {"publish_id": _number(scene), "publish_status": 2, "fail_idx": [1, 2]}
    if scene.chance(0.8):
        detail = {"count": 1, "item": [{"idx": 1, "article_url": "http://mp.weixin.qq.com/s?__biz=MzA5&mid=1"}]}
        info |= {"publish_status": 0, "article_id": scene.media_id()[:43], "article_detail": detail}
        del info["fail_idx"]
    return event(_PLATFORM, "PUBLISHJOBFINISH", {"PublishEventInfo": info})


def _subscription_popup(scene: Scene) -> list[Said]:
    choices = [{**_template(scene), "PopupScene": 2} for _ in range(scene.random.randint(1, 3))]
    fields = {"SubscribeMsgPopupEvent": {"List": choices}}
    return event(scene.crowd.someone(), "subscribe_msg_popup_event", fields)


def _subscription_change(scene: Scene) -> list[Said]:
    wrapper = scene.random.choice(("SubscribeMsgChangeEvent", "SubscribeMsgPopupEvent"))
    fields = {wrapper: {"List": [{**_template(scene), "SubscribeStatusString": "reject"}]}}
    return event(scene.crowd.someone(), "subscribe_msg_change_event", fields)


def _subscription_sent(scene: Scene) -> list[Said]:
    sent = {
        "TemplateId": _template(scene)["TemplateId"],
        "MsgID": scene.random.getrandbits(63),
        "ErrorCode": 0,
        "ErrorStatus": "success",
    }
    return event(scene.crowd.someone(), "subscribe_msg_sent_event", {"SubscribeMsgSentEvent": {"List": [sent]}})


def _customer_service(scene: Scene) -> list[Said]:
    """A conversation: opened, now and then handed over, closed."""
    person = scene.crowd.someone()
    first, second = "kf2001@demo", "kf2002@demo"
    switch = {"MsgType": "event", "Event": "kf_switch_session", "FromKfAccount": first, "ToKfAccount": second}
    switched = [Said(person, switch, 120)] if scene.chance(0.3) else []
    closed = {"MsgType": "event", "Event": "kf_close_session", "KfAccount": second if switched else first}
    return [*event(person, "kf_create_session", {"KfAccount": first}), *switched, Said(person, closed, 300)]


def _verification(scene: Scene) -> list[Said]:
    name = scene.random.choice(_VERIFICATIONS)
    when = scene.random.randrange(1_700_000_000, 1_800_000_000)
    failed = {"FailTime": when, "FailReason": "资料不全"}
    return event(_PLATFORM, name, failed if name.endswith("_fail") else {"ExpiredTime": when})


def _authorisation(scene: Scene) -> list[Said]:
    name = scene.random.choice(("user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"))
    fields = {"OpenID": scene.crowd.someone(), "AppID": "wx13974bf780d3dc89"}
    if name == "user_authorization_revoke":
        fields["RevokeInfo"] = str(scene.random.randint(201, 207))
    return event(_PLATFORM, name, fields)


def _guide(scene: Scene) -> list[Said]:
    person = scene.crowd.someone()
    info = {
        "qrcode_guide_account": "guide_kf2001",
        "qrcode_guide_openid": scene.crowd.someone(),
        "openid": person,
        "action": scene.random.choice((1, 2, 11)),
        "qrcode_info": "",
    }
    return event(person, "guide_qrcode_scan_event", {"GuideScanEvent": info})


def _unheard_of(scene: Scene) -> list[Said]:
    """Kinds that come without notice, from neighbouring features or from the future."""
    fields = {"KeyStandard": "ean13", "KeyStr": str(scene.random.randrange(10**12)), "Country": "中国", "Sex": 1}
    return event(scene.crowd.someone(), scene.random.choice(_UNHEARD_OF), fields)


def _template(scene: Scene) -> Fields:
    template = scene.random.choice(("VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc", "9nLIlbOQZC5Y89AZteFEux3WCXRRRG5W"))
    return {"TemplateId": template, "SubscribeStatusString": scene.random.choice(("accept", "reject"))}


def _number(scene: Scene) -> Bare:
    return Bare(scene.random.randrange(10**9, 10**10))


_VERIFICATIONS = (
    "qualification_verify_success",
    "naming_verify_success",
    "annual_renew",
    "verify_expired",
    "qualification_verify_fail",
    "naming_verify_fail",
)
_UNHEARD_OF = (
    "user_scan_product",
    "user_get_card",
    "card_pass_check",
    "WifiConnected",
    "ShakearoundUserShake",
    "poi_check_notify",
    "merchant_order",
    "debug_demo",
    "hologram_select",
)
_PARTS: tuple[tuple[float, Act], ...] = (
    (30, _template_sent),
    (2, _mass_sent),
    (3, _published),
    (10, _subscription_popup),
    (4, _subscription_change),
    (10, _subscription_sent),
    (15, _customer_service),
    (5, _verification),
    (4, _authorisation),
    (2, _guide),
    (10, _unheard_of),
)
_NOTICES = Repertoire.of(*_PARTS)
