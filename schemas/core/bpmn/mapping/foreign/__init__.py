"""What other tools write into BPMN files, read as ours where it says the same."""
