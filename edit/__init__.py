"""Instruction editing of video, built on the video model: the place is kept, nothing stands here yet."""

if __name__ != "mediagen.edit":
    raise ImportError("got the bare name 'edit', expected 'mediagen.edit'; write 'from mediagen import edit' instead.")
