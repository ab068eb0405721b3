"""Do clips show more of what was meant when the prompt is rewritten?

Clips of the same seeds from the prompts as written, from the rewritten ones, and from true captions of the same
meaning, judged by the recogniser of the model folder.

    python benchmarks/prompt_alignment.py --prompts 48 --steps 16
"""

import argparse
import json

from mediagen.judge.measures import wilson
from mediagen.sdk.bench.prompts import written
from mediagen.sdk.engine import Engine
from mediagen.text.prompts.meaning import Thing, known_to
from mediagen.text.prompts.telling import caption
from mediagen.text.rewrite import rewrite


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=150)
    parser.add_argument("--steps", type=int, default=None)
    asked = parser.parse_args()
    engine = Engine.from_pretrained()
    difficulty, judge = engine.limits.difficulty, engine.models.get("recogniser")
    known = known_to(difficulty)
    some = []
    for one in written():
        things = one.meaning.things
        if len(things) != 1 or one.meaning.person or things[0].kind not in known.kinds or one.aside:
            continue
        said = {name: getattr(things[0], name) for name in ("kind", "colour", "motion")} | {"place": one.meaning.place}
        said = {name: value for name, value in said.items() if value is not None}
        if "colour" in said and len(said) > 2 and rewrite(one.prompt, difficulty).text != one.prompt:
            thing = Thing(things[0].kind, things[0].colour, None, things[0].motion, things[0].facing)
            plain = type(one.meaning)(one.meaning.place, (thing,), time=one.meaning.time)
            some.append((one, said, caption(plain)))
    step = max(1, len(some) // asked.prompts)
    some = some[::step][: asked.prompts]  # of every language
    for way in ("as written", "rewritten", "true captions"):
        right: list[bool] = []
        whole: list[bool] = []
        for seed, (one, said, true) in enumerate(some):
            prompt = true if way == "true captions" else one.prompt
            clip = engine.generate(
                prompt, seed=seed, sound=False, num_inference_steps=asked.steps, rewrite=way == "rewritten"
            )
            assert clip.frames is not None
            seen = judge.judge(clip.frames[None])[0][0]
            hits = [seen[name] == value for name, value in said.items()]
            right += hits
            whole.append(all(hits))
        told = {name: (round(sum(x) / len(x), 3), [round(v, 3) for v in wilson(sum(x), len(x))], len(x))
                for name, x in (("said and seen", right), ("all of it", whole))}  # fmt: skip
        print(json.dumps({way: told}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
