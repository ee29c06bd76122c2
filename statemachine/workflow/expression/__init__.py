"""The expression language of workflow definitions: conditions, and the values of `${}`."""
