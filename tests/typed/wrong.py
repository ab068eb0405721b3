"""What a user mistypes: each marked line is one that a type checker finds (tests/test_types.py)."""

from typing import Literal

from mediagen.sdk import Engine

engine = Engine.from_pretrained()
engine.generate("a", sed=1)  # wrong
engine.generate("a", num_videos=2).frames  # wrong
engine.submit("a", sed=1)  # wrong
engine.generate_audio("a", sede=3)  # wrong
engine.add_audio("a.mp4", musik_prompt="x")  # wrong
engine.extend_audio("a.wav", methode="blend")  # wrong
engine.generate_audio("a", method="loop")  # wrong
engine.submit_audio("a", secnds=2.0)  # wrong
status: Literal["done"] = engine.submit("a").status  # wrong
engine.generate("a").sound.shape  # wrong
