"""Replies to encrypted pushes: encrypted alike, and signed anew.

Source: developers.weixin.qq.com/doc/subscription/guide/dev/push/encryption.html
"""

from typing import NamedTuple

from wechat.crypto import encrypt, signature


class Envelope(NamedTuple):
    """By what a push was understood, and its reply will be: token and key may be the previous ones during a rotation.

    The nonce is that of the push, as on WeChat's page.
    """

    token: str
    key: bytes
    app_id: str
    nonce: str

    def around(self, reply: bytes, now: int) -> bytes:
        """A reply as it is sent; `success` and empty answers are never encrypted."""
        text = encrypt(reply, self.key, self.app_id)
        signed = signature(self.token, str(now), self.nonce, text)
        nonce = self.nonce.replace("]]>", "]]]]><![CDATA[>")
        return (
            f"<xml>\n<Encrypt><![CDATA[{text}]]></Encrypt>\n<MsgSignature><![CDATA[{signed}]]></MsgSignature>\n"
            f"<TimeStamp>{now}</TimeStamp>\n<Nonce><![CDATA[{nonce}]]></Nonce>\n</xml>"
        ).encode()
