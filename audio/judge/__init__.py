"""What listens: measures, a recogniser, a scorer, and the choice among candidates."""
