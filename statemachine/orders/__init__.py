"""The rules of suspended orders: eight states, one transition table, guards, intents."""
