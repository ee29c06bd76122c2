"""The five agents: orchestrator, contact, triage, action, audit, and what each works with."""
