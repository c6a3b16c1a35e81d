"""What scanners read: product barcodes with a right check digit, parcel numbers, QR codes."""

from random import Random


def qr_code(random: Random) -> str:
    number = random.randrange(10**8)
    return random.choices(
        (
            f"https://shop.example.com/p?id={number % 500}&from=poster&utm_source=wx&t={number}",
            f"http://weixin.qq.com/r/{number:08d}",
            f"TABLE-{number % 60:02d}",
            "WIFI:T:WPA;S:一楼大厅;P:66668888;;",
            f'{{"sn":"{number:08d}","type":"coupon","名称":"满50减10"}}',
            "",
        ),
        (50, 20, 15, 5, 8, 2),
    )[0]


def barcode(random: Random) -> str:
    """Symbology, a comma, and the value, as WeChat delivers them."""
    number = random.randrange(10**12)
    return random.choices(
        (f"EAN_13,{ean_13(_popular(random))}", f"CODE_39,BX{number % 10**8:08d}", f"CODE_128,SF{number:012d}"),
        (80, 8, 12),
    )[0]


def ean_13(product: int) -> str:
    """The barcode of a product made in China."""
    digits = f"69{product * 7_919_063 % 10**10:010d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-weighted % 10)


def _popular(random: Random) -> int:
    return min(int(random.paretovariate(1.0)), 2000)
