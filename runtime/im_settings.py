"""The settings of messengers in which people answer: each one's are set together, or not at all (docs/im.md)."""

import re
from typing import Final, Self

from pydantic import SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

_AES_KEY: Final = re.compile(r"[A-Za-z0-9]{43}")


class ImSettings(BaseSettings):
    """What callbacks of messengers are verified with; without them their addresses are unknown."""

    im_feishu_encrypt_key: SecretStr | None = None
    """The app's Encrypt Key."""
    im_feishu_verification_token: SecretStr | None = None
    im_wecom_token: SecretStr | None = None
    im_wecom_aes_key: SecretStr | None = None
    """The app's EncodingAESKey: 43 characters."""
    im_wecom_corp_id: str = ""
    im_dingtalk_app_secret: SecretStr | None = None
    """Signs what is written to the bot."""
    im_dingtalk_card_secret: SecretStr | None = None
    """Signs card callbacks: the `apiSecret` that their address was registered with."""
    im_dingtalk_corp_id: str = ""

    @field_validator(
        "im_feishu_encrypt_key",
        "im_feishu_verification_token",
        "im_wecom_token",
        "im_wecom_aes_key",
        "im_dingtalk_app_secret",
        "im_dingtalk_card_secret",
        mode="before",
    )
    @classmethod
    def _unset_secret(cls, given: object) -> object:
        """An empty file or variable is none: containers are given a file for every secret there may be."""
        return given or None

    @field_validator("im_wecom_aes_key")
    @classmethod
    def _is_aes_key(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and _AES_KEY.fullmatch(given.get_secret_value()) is None:
            raise ValueError("must be the 43 letters and digits of the app's EncodingAESKey")
        return given

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for provider in ("feishu", "wecom", "dingtalk"):
            names = [name for name in ImSettings.model_fields if name.startswith(f"im_{provider}_")]
            missing = [f"UNPEND_{name.upper()}" for name in names if not getattr(self, name)]
            # A process that is given no secrets may know the company.
            if missing and any(isinstance(getattr(self, name), SecretStr) for name in names):
                raise ValueError(f"{', '.join(missing)} must be set as well: see docs/im.md")
        return self
