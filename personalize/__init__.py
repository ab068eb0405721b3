"""A person from one photo in a clip, built on the video model: the place is kept, nothing stands here yet."""

if __name__ != "mediagen.personalize":
    raise ImportError(
        "got the bare name 'personalize', expected 'mediagen.personalize'; "
        "write 'from mediagen import personalize' instead."
    )
