"""A film's pictures in a new file, bit for bit, with all that its container says of them."""
