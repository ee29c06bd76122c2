"""Messengers as their documentation describes them: they sign, encrypt and read answers with code of their own."""
