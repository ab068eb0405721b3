"""What looks at decoded pixels and says how good they are: a recogniser, whole objects, measures."""
