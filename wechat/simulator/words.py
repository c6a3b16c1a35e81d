"""What people in the simulation say, and where they are."""

from typing import NamedTuple


class Place(NamedTuple):
    latitude: float
    longitude: float
    label: str
    poi_name: str


PLACES = (
    Place(23.089722, 113.322916, " 广州市海珠区客村艺苑路 106号", ""),
    Place(31.257041, 121.592135, "上海市浦东新区金桥路2288号", "金桥国际商业广场"),
    Place(39.908823, 116.397470, "北京市东城区东长安街", "天安门广场"),
    Place(22.540503, 113.934528, "深圳市南山区科技中一路 腾讯大厦", "腾讯大厦"),
    Place(30.657401, 104.065861, "成都市锦江区人民南路一段86号", "四川科技馆"),
    Place(30.242489, 120.148532, "杭州市西湖区龙井路1号", "西湖风景名胜区🌸"),
    Place(34.218229, 108.964176, "西安市雁塔区慈恩路", "大雁塔·北广场"),
    Place(29.563010, 106.551557, "重庆市渝中区民权路28号", "英利国际金融中心"),
    Place(32.041544, 118.767413, "南京市鼓楼区中山路", ""),
    Place(30.580840, 114.298720, "武汉市江汉区解放大道690号", "武汉国际广场购物中心 A座"),
    Place(43.825592, 87.616848, "乌鲁木齐市天山区光明路", "🍇新疆国际大巴扎"),
    Place(22.193200, 113.541200, "澳门议事亭前地", "Largo do Senado & 議事亭"),
)

TEXTS = (
    "你好",
    "在吗",
    "今天有什么优惠？",
    "怎么领券",
    "订单什么时候发货",
    "人工客服",
    "谢谢😊",
    "👍👍👍",
    "营业到几点呀",
    "/:share",
    "[Lol][强]好吃！",
    "地址发一下",
    "退款 20231107-8842",
    "外卖能开发票吗？公司抬头：深圳市某某科技有限公司",
    "ok",
    "Can I order in English?",
    "👨‍👩‍👧‍👦 四个人的套餐多少钱",
    "𠮷野家的味道",
    "第一行\n第二行\n第三行",
    "价格 < 50 & 不辣 > 辣",
)

# Followers do type these: markup that ends CDATA early, and characters that XML 1.0 forbids (PROTOCOL 9.1, 9.2).
AWKWARD_TEXTS = (
    "看这段代码 <![CDATA[hi]]> 对吗",
    "复制出来的\x02文字\x1d",
    "<xml><MsgType>text</MsgType></xml>",
    "  前后都有空格  ",
    "]]>",
)

SATISFACTION = (("101", "满意"), ("102", "一般"), ("103", "不满意"))
LINKS = (
    ("一周新品", "这个春天的第一口鲜", "https://mp.weixin.qq.com/s?__biz=MzA5&mid=2650001&idx=1&sn=ab12"),
    ("门店地图", "", "https://map.example.com/shops?city=上海&page=2"),
)
SPOKEN = ("今天有什么优惠", "腾讯微信团队", "帮我查一下订单。", "")
