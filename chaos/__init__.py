"""The kill test: uploads while services fail and workers die, and then a look at whether anything was lost."""
