"""The menu that the simulated followers tap, unless they are given another."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Button:
    """A button that leads to a push: its type, and its key, URL or page path."""

    type: str
    key: str
    menu_id: str = ""  # of the menu it stands in; WeChat tells it for links and mini programs only


_MENU_ID = "461376933"

# The most popular first.
MENU = (
    Button("click", "TODAY_MENU"),
    Button("view", "https://shop.example.com/wechat/home?from=menu&channel=oa", _MENU_ID),
    Button("scancode_waitmsg", "SCAN_PRODUCT"),
    Button("click", "MY_COUPONS"),
    Button("view_miniprogram", "pages/order/index?source=oa_menu", _MENU_ID),
    Button("location_select", "NEAREST_SHOP"),
    Button("pic_photo_or_album", "SHOW_YOUR_DISH"),
    Button("click", "会员中心"),
    Button("scancode_push", "rselfmenu_0_1"),
    Button("pic_weixin", "rselfmenu_1_2"),
    Button("view", "https://shop.example.com/article/招聘?id=7", _MENU_ID),
    Button("pic_sysphoto", "rselfmenu_1_0"),
    Button("click", "V1001_GOOD"),
)
