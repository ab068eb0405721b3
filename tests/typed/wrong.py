"""What a user mistypes: each marked line is one that a type checker finds (tests/test_types.py)."""

from typing import Literal

from mediagen.sdk import Engine, RemoteEngine

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
remote = RemoteEngine("http://127.0.0.1:8000")
remote.generate("a", sed=1)  # wrong
remote.generate("a", callback_on_step_end=print)  # wrong
remote.extend("a.mp4", fps=8.0)  # wrong
remote.add_audio("a.mp4", musik_prompt="x")  # wrong
remote.generate_audio("a", sede=3)  # wrong
remote.fill_audio("a.wav", 0.0, 1.0, method="loop")  # wrong
remote.submit("a", sed=1)  # wrong
remote.submit_audio("a", secnds=2.0)  # wrong
