"""An optional second opinion by a language model, which may stop an action and never allow one."""
