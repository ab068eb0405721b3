"""What a user writes; a type checker finds nothing wrong with it (tests/test_types.py)."""

from pathlib import Path
from typing import assert_type

from mediagen.media.clip import to_float
from mediagen.sdk import Clip, Engine, Film, Job, RequestError, Soundtrack

engine = Engine.from_pretrained()
film = engine.generate("a red ball bounces", seed=1, seconds=1.5, num_inference_steps=8)
assert_type(film, Film)
print(film.frames.shape, to_float(film.frames).mean(), film.save("a.mp4").name)
several = engine.generate("a red ball bounces", num_videos=4)
assert_type(several, list[Film])
longer = engine.extend(film, "it rolls away", seconds=0.5)
print(len(longer.frames))
assert_type(engine.add_audio("film.mp4", music_prompt="calm piano", music=True), Soundtrack)
assert_type(engine.add_audio(film, keep_audio=0.5), Film)
assert_type(engine.generate_audio("waves", 10.0, seed=3, lufs=-20.0), Clip)
engine.fill_audio("sea.wav", 1.0, 2.0, candidates=2)
job = engine.submit("a red ball", seed=1, width=64, height=64)
assert_type(job, Job[Film])
if job.status == "completed":
    print(job.result().frames.shape, job.progress)
assert_type(engine.submit_audio("rain", video=Path("film.mp4"), start=1.0), Job[Soundtrack])
assert_type(engine.score(film, "a red ball"), dict[str, float])
try:
    engine.generate("")
except RequestError as error:
    print(error)
