"""An optional second opinion on customers' words: a language model that may stop an action and never allow one."""
