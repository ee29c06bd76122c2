"""The messengers of this installation: those whose secrets are set."""

from collections.abc import Mapping

from pydantic import SecretStr

from runtime.im_settings import ImSettings
from tools.im.contract import ImProviderName, ImReader
from tools.im.dingtalk import DingtalkCallbacks
from tools.im.feishu import FeishuCallbacks
from tools.im.wecom import WecomCallbacks
from tools.im.wecom_cipher import WecomCipher


def open_im_readers(settings: ImSettings) -> Mapping[str, ImReader]:
    """What reads each messenger's callbacks, by its name in the address."""
    readers: dict[str, ImReader] = {}
    if settings.im_feishu_encrypt_key is not None:
        readers[ImProviderName.FEISHU] = FeishuCallbacks(
            _open(settings.im_feishu_encrypt_key), _open(settings.im_feishu_verification_token)
        )
    if settings.im_wecom_token is not None:
        cipher = WecomCipher(_open(settings.im_wecom_token), _open(settings.im_wecom_aes_key))
        readers[ImProviderName.WECOM] = WecomCallbacks(cipher, settings.im_wecom_corp_id)
    if settings.im_dingtalk_app_secret is not None:
        readers[ImProviderName.DINGTALK] = DingtalkCallbacks(
            _open(settings.im_dingtalk_app_secret),
            _open(settings.im_dingtalk_card_secret),
            settings.im_dingtalk_corp_id,
        )
    return readers


def _open(secret: SecretStr | None) -> str:
    assert secret is not None, "the settings of a messenger are set together or not at all"
    return secret.get_secret_value()
