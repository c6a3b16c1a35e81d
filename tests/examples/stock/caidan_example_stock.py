"""Handlers for a shop: a scan is answered with what is in stock, and a follower who asks for the opening hours gets
them as an article."""

from workers.handlers import Article, Event, GiveUp, News, Reply, Text, on

STOCK = {"6911316223400": 12, "6901234567892": 0}


@on("scancode_waitmsg", key="STOCK", retries=2, time_limit=5)
def stock(event: Event) -> Reply:
    """A follower who has scanned waits at a spinner until something comes: never leave them without a word."""
    if event.scan is None or event.scan.code is None:
        return Text("请扫描商品条形码。")
    if event.scan.code not in STOCK:
        return Text(f"没有找到商品 {event.scan.code}。")
    return Text(f"商品 {event.scan.code} 库存：{STOCK[event.scan.code]}")


@on("click", "message_text", name="opening-hours", rate="20/s")
def opening_hours(event: Event) -> News | None:
    asked = event.event_key == "HOURS" or (event.message is not None and "营业时间" in (event.message.content or ""))
    if not asked:
        return None
    return News((Article("营业时间", "每天 9:00–21:00", url="https://shop.example/hours"),))


@on("message_image", concurrency=1)
def returns(event: Event) -> str:
    """Pictures are for returns, which another program sees to; `event.id` is how it knows a repeat."""
    if event.message is None or event.message.media_id is None:
        raise GiveUp("no_picture")
    return "已收到图片，客服会尽快处理。"
