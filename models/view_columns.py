"""What the columns of the views mean, in English and Chinese. A name means the same in every view."""

from collections.abc import Mapping
from typing import NamedTuple


class Comment(NamedTuple):
    english: str
    chinese: str

    def __str__(self) -> str:
        """As it stands in the database, for people of either language."""
        return f"{self.english} · {self.chinese}"


_TEXTS: Mapping[str, tuple[str, str]] = {
    "account": ("name of the account, as configured", "公众号的名称，即配置中的 name"),
    "account_id": ("number of the account", "公众号的编号"),
    "app_id": ("AppID", "AppID"),
    "author": ("who saved it", "保存者"),
    "button_key": ("key, URL or page path of the button: EventKey", "按钮的 key、URL 或小程序路径，即 EventKey"),
    "button_name": (
        "name of the button in the last saved menu that has it; null where none has",
        "按钮的名称，取自含有它的最后一个已保存菜单；没有则为空",
    ),
    "callback_count": ("pushes in this hour, as WeChat counts them", "微信统计的本小时推送次数"),
    "cause": ("why it was published: by hand, by a rotation, …", "发布的原因：手动、轮换等"),
    "characters": ("length of the text; the text itself is in no view", "文字的长度；视图中没有文字本身"),
    "code": ("what a barcode says, without its symbology", "条形码的内容，不含码制"),
    "compared_at": ("when it was compared, UTC", "核对的时间（UTC）"),
    "created_at": (
        "when it happened: WeChat's CreateTime, UTC; name it in conditions, for it has an index",
        "发生的时间，即微信的 CreateTime（UTC）；有索引，请用它作条件",
    ),
    "datum": ("gcj02 or wgs84; null where WeChat does not say", "坐标系：gcj02 或 wgs84；微信未说明则为空"),
    "day": ("day by the account's clock", "按公众号时区的日期"),
    "declared_count": ("photos that WeChat says were sent", "微信声明的照片数"),
    "ended_at": ("when another menu was put up, or it failed, UTC; null while live", "结束的时间（UTC）；生效中为空"),
    "errcode": ("what WeChat answered to a refused publication", "发布被拒时微信返回的错误码"),
    "event_id": ("id of the event, the same in every view", "事件的编号，各视图一致"),
    "event_key": ("WeChat's EventKey", "微信的 EventKey"),
    "fail_count": ("of these, failed ones, as WeChat counts them", "其中微信统计的失败次数"),
    "follower": (
        "number of the follower, for counting different people of an account; null for some seconds, or of nobody",
        "关注者的编号，用于统计同一公众号的人数；刚发生的数秒内或无人时为空",
    ),
    "format": ("format of a voice message", "语音的格式"),
    "hour": ("hour of the day", "小时"),
    "kind": ("kind of event, such as click, view, scancode_push", "事件的种类，如 click、view、scancode_push"),
    "late": ("of the stored, those that came more than seconds late", "已存储的推送中迟到的数量"),
    "latitude": ("middle of a cell of 0.01 degrees, about a kilometre", "0.01 度（约一公里）网格的中心纬度"),
    "listed_count": ("photos whose digests came with the event", "随事件列出的照片数"),
    "local_at": (
        "created_at by the account's clock; null where the database does not know the time zone",
        "按公众号时区的发生时间；数据库不认识该时区时为空",
    ),
    "longitude": ("middle of a cell of 0.01 degrees, about a kilometre", "0.01 度（约一公里）网格的中心经度"),
    "md5": ("MD5 of the photo: the same picture has the same", "照片的 MD5，同一张照片相同"),
    "menu_id": ("number of the saved menu", "已保存菜单的编号"),
    "menu_position": ("0 is the default menu, then the personalised ones", "0 为默认菜单，其后为个性化菜单"),
    "menu_version": ("version of the account's menu", "公众号菜单的版本"),
    "monday": ("Monday of the week, by the account's clock", "该周的星期一（按公众号时区）"),
    "month": ("first day of the month, by the account's clock", "月份的第一天（按公众号时区）"),
    "msg_type": ("WeChat's MsgType: text, image, voice, …", "微信的 MsgType：text、image、voice 等"),
    "note": ("what was noted when it was saved", "保存时的备注"),
    "original_id": ("original id of the account, gh_…", "公众号的原始 ID，gh_…"),
    "outcome": (
        "published, refused, failed or abandoned; null while under way",
        "结果：published、refused、failed、abandoned；进行中为空",
    ),
    "place": ("name of the place that was chosen", "所选地点的名称"),
    "position": ("place of the photo in its send, from 0", "照片在该次发送中的序号，从 0 开始"),
    "publication_id": (
        "publication of the menu that the follower most probably saw; null where unknown",
        "用户最可能看到的那次菜单发布；不明则为空",
    ),
    "quarantined_at": ("when it was set aside, UTC", "隔离的时间（UTC）"),
    "reason": ("why it could not be stored, in a fixed word", "不能存储的原因（固定用词）"),
    "received_at": ("when it reached Caidan, UTC", "Caidan 收到的时间（UTC）"),
    "recorded_at": ("when it was stored, UTC", "存入数据库的时间（UTC）"),
    "replayed_at": ("when it was stored after all, UTC", "后来成功存储的时间（UTC）"),
    "rotation_id": ("rotation that caused it", "引起这次发布的轮换"),
    "saved_at": ("when it was saved, UTC", "保存的时间（UTC）"),
    "scan_result": ("what was scanned, as WeChat delivered it", "扫描的内容，微信原文"),
    "scan_type": ("qrcode or barcode", "二维码 qrcode 或条形码 barcode"),
    "started_at": ("when it was published, UTC", "发布的时间（UTC）"),
    "starts_at": ("when the hour begins, UTC", "该小时开始的时间（UTC）"),
    "stored": ("pushes of this hour that are stored", "本小时已存储的推送数"),
    "symbology": ("EAN_13, CODE_128, …; null unless it is a barcode", "条形码的码制：EAN_13、CODE_128 等；否则为空"),
    "taps": ("how often it was tapped; of other kinds, how many events", "点击次数；其他种类则为事件数"),
    "times": ("how many events", "事件数"),
    "timezone": ("time zone by which the account's days count", "公众号统计所用的时区"),
    "users": (
        "different people of this row, exactly; of several rows they must not be added: one person may be in each",
        "本行的人数（精确去重）；多行不可相加，因为同一人可能出现在多行",
    ),
    "utc_month": ("first day of the month, UTC", "月份的第一天（UTC）"),
    "wechat_menu_id": ("WeChat's id of the menu, where the push names it", "推送中微信给出的菜单 ID"),
}
COLUMNS: Mapping[str, Comment] = {name: Comment(*texts) for name, texts in _TEXTS.items()}
