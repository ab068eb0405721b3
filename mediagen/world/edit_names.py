"""The names of the kinds of edits, for whoever has no need to draw any."""

LOCAL = ("recolour", "replace", "add", "remove", "resize", "person")  # what these leave alone stays as it is
WHOLE = ("place", "time", "weather", "style", "camera")
TASKS = (*LOCAL, *WHOLE, "mark")
PARTS = ("hair_style", "hair_colour", "glasses", "beard", "hat", "expression")  # of a person, that an edit can change
