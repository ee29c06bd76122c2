#!/bin/sh
# Writes the secret files that docker-compose.yml names, below deploy/secrets; what is there already is kept.
# Optional in the environment: CHANNEL_TOKEN, ALERT_WEBHOOK_URL, ES_API_KEY.
set -eu
umask 077
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
chmod 700 "$folder"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
# The containers' users must be able to read a file; the folder keeps everyone else on this machine out.
keep() { [ -s "$folder/$1" ] || { printf '%s' "$2" >"$folder/$1" && chmod 444 "$folder/$1"; }; }

keep postgres_password "$(random)"
# The broker's operator, who may do everything; the fleet reaches it as users that may not.
keep valkey_password "$(random)"
database() { printf 'postgresql+psycopg://%s:%s@postgres:5432/unpend' "$1" "$2"; }
keep unpend_database_url_migrate "$(database unpend "$(cat "$folder/postgres_password")")"
# `unpend migrate` makes these roles, with these passwords.
keep unpend_database_url "$(database unpend_application "$(random)")"
keep unpend_database_url_retention "$(database unpend_retention "$(random)")"
keep unpend_database_url_reader "$(database unpend_reader "$(random)")"
keep unpend_broker_url "redis://fleet:$(random)@valkey:6379/0"
keep unpend_broker_url_flower "redis://flower:$(random)@valkey:6379/0"
# Given to the systems that send orders in by the stream: it may add to it and nothing else.
keep unpend_producer_url "redis://producer:$(random)@valkey:6379/0"
keep unpend_cipher_key "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')"
keep unpend_cipher_keys_old ""
keep unpend_index_key "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')"
keep unpend_index_keys_old ""
keep unpend_callback_secret "$(random)"
keep unpend_channel_token "${CHANNEL_TOKEN:-$(random)}"
# What providers, the order system and the language model want; empty where the installation has none of them.
keep unpend_aliyun_access_key_id "${ALIYUN_ACCESS_KEY_ID:-}"
keep unpend_aliyun_access_key_secret "${ALIYUN_ACCESS_KEY_SECRET:-}"
keep unpend_aliyun_callback_token "${ALIYUN_CALLBACK_TOKEN:-}"
keep unpend_twilio_account_sid "${TWILIO_ACCOUNT_SID:-}"
keep unpend_twilio_auth_token "${TWILIO_AUTH_TOKEN:-}"
keep unpend_notice_secrets "${NOTICE_SECRETS:-}"
keep unpend_im_feishu_encrypt_key "${IM_FEISHU_ENCRYPT_KEY:-}"
keep unpend_im_feishu_verification_token "${IM_FEISHU_VERIFICATION_TOKEN:-}"
keep unpend_im_wecom_token "${IM_WECOM_TOKEN:-}"
keep unpend_im_wecom_aes_key "${IM_WECOM_AES_KEY:-}"
keep unpend_im_dingtalk_app_secret "${IM_DINGTALK_APP_SECRET:-}"
keep unpend_im_dingtalk_card_secret "${IM_DINGTALK_CARD_SECRET:-}"
keep unpend_order_system_secret "${ORDER_SYSTEM_SECRET:-}"
keep unpend_language_model_key "${LANGUAGE_MODEL_KEY:-}"
keep flower_basic_auth "operator:$(random)"
keep grafana_password "$(random)"
keep alert_webhook_url "${ALERT_WEBHOOK_URL:-http://127.0.0.1:9/unset}"
keep es_api_key "${ES_API_KEY:-unset}"
