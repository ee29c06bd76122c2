"""The envelope of WeCom's callbacks: AES-256-CBC, and a SHA-1 over the sorted parts.

https://developer.work.weixin.qq.com/document/path/90968 (加解密方案说明): the key is the Base64 of EncodingAESKey and
`=`, its first 16 bytes are the initial vector; 16 random bytes, the length in four, the message and the receiver's id
are padded to blocks of 32 bytes.
"""

import base64
import binascii
import hashlib
import secrets
import struct
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

_VECTOR: Final = 16
_LENGTH: Final = 4
_PADDED_TO: Final = 32


@dataclass(frozen=True, slots=True)
class WecomEnvelope:
    """What has been decrypted, and whom it was sent to."""

    message: bytes = field(repr=False)
    receiver: str


@dataclass(frozen=True, slots=True)
class WecomCipher:
    """The token and the key of one app."""

    token: str = field(repr=False)
    aes_key: str = field(repr=False)

    def signature(self, stamped: str, nonce: str, encrypted: str) -> str:
        """`msg_signature`: the SHA-1, in hex, of the four parts in their order as texts."""
        parts = "".join(sorted((self.token, stamped, nonce, encrypted)))
        return hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()

    def decrypt(self, encrypted: str) -> WecomEnvelope | None:
        """What is in a verified text; `None` where it is not in WeCom's form."""
        try:
            opened = self._cipher.decryptor()
            padded = opened.update(base64.b64decode(encrypted, validate=True)) + opened.finalize()
            unpadder = PKCS7(8 * _PADDED_TO).unpadder()
            plain = unpadder.update(padded) + unpadder.finalize()
            (length,) = struct.unpack_from(">I", plain, _VECTOR)
            start = _VECTOR + _LENGTH
            receiver = plain[start + length :].decode()
        except (ValueError, binascii.Error, struct.error):
            return None
        return WecomEnvelope(plain[start : start + length], receiver)

    def encrypt(self, message: str, receiver: str) -> str:
        """The same the other way round."""
        said = message.encode()
        plain = secrets.token_bytes(_VECTOR) + struct.pack(">I", len(said)) + said + receiver.encode()
        padder = PKCS7(8 * _PADDED_TO).padder()
        sealed = self._cipher.encryptor()
        padded = padder.update(plain) + padder.finalize()
        return base64.b64encode(sealed.update(padded) + sealed.finalize()).decode()

    @property
    def _cipher(self) -> Cipher[CBC]:
        key = base64.b64decode(f"{self.aes_key}=")
        return Cipher(AES(key), CBC(key[:_VECTOR]))
