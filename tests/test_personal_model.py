"""The video model with a person: its base without one, told a face beside the text, trained in three stages."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from mediagen.generate import VideoModels, VideoWay
from mediagen.grid import Grid
from mediagen.nn.denoiser import Conditions
from mediagen.personalize.arcface import ArcFace
from mediagen.personalize.character import Character
from mediagen.personalize.faces import Face
from mediagen.personalize.generate import PersonGenerator, generate_person, person_conditions
from mediagen.personalize.measure import Watched, copying, cosines, rank_one, steadiness, table, watch
from mediagen.personalize.model import PersonalConfig, PersonalModel, PersonConditions
from mediagen.personalize.pairs import Survivors, people_of, reference_of
from mediagen.personalize.train import person
from mediagen.personalize.train.person import PersonTask, PersonTaskConfig
from mediagen.sdk.models.trainings import TRAININGS
from mediagen.tae import TAE
from mediagen.text.aligned import PRESETS, AlignedConfig, AlignedEncoder
from mediagen.text.text import TextEncoder
from mediagen.train.loop import train
from mediagen.train.task import TrainConfig
from mediagen.video import VideoModel
from mediagen.weights import load_model, save_model, start_from
from mediagen.world.draw import render, truth

torch.set_num_threads(1)
SMALL = {"width": 32, "depth": 2, "heads": 2, "hidden": 32, "text_widths": (32,), "longest": (8, 16, 16)}


def awake(model: torch.nn.Module) -> None:
    """Weights that are not those of a new model, in which much is zero."""
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=rng)


@pytest.fixture(scope="module")
def text() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder.from_preset("debug").eval()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoModel, PersonalModel]:
    """A base model, and one with a person that was grown from its weights."""
    config = PersonalConfig(**SMALL, aligned=PRESETS["debug"])  # type: ignore[arg-type]
    base = VideoModel(VideoModel.Config(**SMALL)).eval()  # type: ignore[arg-type]
    awake(base)
    folder = save_model(base, base.config, tmp_path_factory.mktemp("base"), half=False)
    grown = PersonalModel(config).eval()
    left = start_from(grown, folder)
    assert left and all(name.startswith("person.") for name in left)
    return base, grown


def someone(number: int) -> Character:
    rng = torch.Generator().manual_seed(number)
    vector = torch.nn.functional.normalize(torch.randn(512, generator=rng), dim=0)
    crop = torch.randint(0, 256, (112, 112, 3), generator=rng, dtype=torch.uint8)
    return Character("ana", vector, crop, crop[:96, :96].clone(), True)


def velocity(model: VideoModel, conditions: Conditions) -> Tensor:
    x = torch.randn(2, 16, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return model(x, 0.3, model.prepare(conditions, (2, 4, 4)))


def test_without_a_person_the_output_equals_the_base_models(
    pair: tuple[VideoModel, PersonalModel], text: TextEncoder
) -> None:
    base, grown = pair
    words = text.encode(["a person nods", "a person waves in a meadow"])
    plain = velocity(base, Conditions(text=words))
    assert torch.equal(velocity(grown, Conditions(text=words)), plain)
    assert torch.equal(velocity(grown, PersonConditions(text=words)), plain)
    nobody = replace(person_conditions([someone(1), someone(2)], [False, False]), text=words)
    assert torch.allclose(velocity(grown, nobody), plain, atol=1e-5), "masked tokens are not read"


def test_a_person_changes_only_the_sample_that_has_one(
    pair: tuple[VideoModel, PersonalModel], text: TextEncoder
) -> None:
    _, grown = pair
    words = text.encode(["a person nods", "a person nods"])
    plain = velocity(grown, Conditions(text=words))
    one = velocity(grown, replace(person_conditions([someone(1), someone(2)], [True, False]), text=words))
    other = velocity(grown, replace(person_conditions([someone(2), someone(2)], [True, False]), text=words))
    assert torch.allclose(one[1], plain[1], atol=1e-5)
    assert (one[0] - plain[0]).abs().max() > 1e-3 and (one[0] - other[0]).abs().max() > 1e-4
    with pytest.raises(ValueError, match="1 faces for 2 prompts"):
        velocity(grown, replace(person_conditions([someone(1)], [True]), text=words))


def test_conditions_with_a_person_repeat_like_others() -> None:
    twice = person_conditions([someone(1)], [True]).repeat(2)
    assert twice.crop is not None and twice.present is not None
    assert len(twice.crop) == 2 and twice.present.tolist() == [True, True]


def test_a_model_is_kept_with_its_tower_and_takes_the_one_of_an_encoder(
    pair: tuple[VideoModel, PersonalModel], tmp_path: Path
) -> None:
    _, grown = pair
    again = load_model(PersonalModel, save_model(grown, grown.config, tmp_path, half=False))
    assert again.config == grown.config
    aligned = AlignedEncoder(AlignedConfig.of(PRESETS["debug"].to_dict()))
    again.take_tower(aligned)
    wanted = aligned.net.vision_model.state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in again.person.tower.state_dict().items())
    with pytest.raises(ValueError, match="got an aligned encoder of"):
        again.take_tower(AlignedEncoder(PRESETS["debug"].replace(width=64)))


class Seer:
    """A finder that knows where the face of each picture is; a picture that it was not told has none."""

    def __init__(self) -> None:
        self.known: dict[bytes, list[Face]] = {}

    def tell(self, frames: Tensor, scene, numbers: list[int]) -> None:
        face = truth(scene, (16, 16), numbers).face
        assert face is not None
        for frame, box, points in zip(frames, face.box * len(frames[0]), face.points * len(frames[0]), strict=True):
            left, top, right, bottom = box.tolist()
            self.known[frame.numpy().tobytes()] = [Face((left, top, right, bottom), points)]

    def find(self, frames: Tensor) -> list[list[Face]]:
        return [self.known.get(frame.numpy().tobytes(), []) for frame in frames]


def test_guidance_by_person_of_nothing_is_guidance_by_words(
    pair: tuple[VideoModel, PersonalModel], text: TextEncoder
) -> None:
    base, grown = pair
    tae = TAE.from_preset("tiny").eval()
    grid = Grid.of(0.5, (32, 32), 16.0, tae.stride, base.config.patch)
    from mediagen.generator import FlowGenerator

    plain = FlowGenerator(text, base).latents(["A person nods"], grid, rng=torch.Generator().manual_seed(0), steps=3)
    person = PersonGenerator(text, grown, someone(1), person_scale=0.0)
    same = person.latents(["@ana nods"], grid, rng=torch.Generator().manual_seed(0), steps=3)
    assert torch.allclose(plain, same, atol=1e-4)
    told = replace(person, person_scale=1.0).latents(["@ana nods"], grid, rng=torch.Generator().manual_seed(0), steps=3)
    assert (told - plain).abs().max() > 1e-3


def test_of_candidates_the_one_most_like_the_person_is_kept(
    pair: tuple[VideoModel, PersonalModel], text: TextEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, grown = pair
    tae = TAE.from_preset("tiny").eval()
    models = VideoModels(PersonGenerator(text, grown, someone(1)), tae)
    grid = models.grid(0.5, (32, 32), 16.0)
    said = iter([{"cosine": 0.2, "faces": 1.0}, {"cosine": 0.9, "faces": 1.0}, {"cosine": 0.95, "faces": 0.5}])
    monkeypatch.setattr("mediagen.personalize.generate.likeness_of", lambda *_: next(said))
    rngs = [torch.Generator().manual_seed(seed) for seed in range(3)]
    made = generate_person(
        models,
        Seer(),
        ArcFace.from_preset("debug").eval(),
        someone(1),
        "@ana nods",
        grid,
        rngs=rngs,
        way=VideoWay(steps=2),
    )
    assert made.likeness["cosine"] == 0.9 and made.frames.shape == (8, 32, 32, 3)


def test_a_clip_teaches_only_where_one_face_stays() -> None:
    class Alike:
        def __init__(self, *rows: int) -> None:
            self.rows = rows

        def embed(self, faces: Tensor) -> Tensor:
            return torch.eye(512)[list(self.rows)]

    class Faces:
        def __init__(self, *counts: int) -> None:
            self.counts = counts

        def find(self, frames: Tensor) -> list[list[Face]]:
            points = np.array([[10.0, 10], [20, 10], [15, 15], [11, 20], [19, 20]])
            assert len(frames) == len(self.counts), "looked at once a second"
            return [[Face((5.0, 5, 35, 35), points)] * count for count in self.counts]

    frames = torch.zeros(48, 40, 40, 3, dtype=torch.uint8)
    assert reference_of(Faces(1, 1, 1), Alike(0, 0, 0), frames, 16.0).why == ""
    assert reference_of(Faces(1, 1, 1), Alike(0, 1, 1), frames, 16.0).why == "another face later"
    assert reference_of(Faces(1, 2, 1), Alike(), frames, 16.0).why == "several faces"
    assert reference_of(Faces(1, 0, 1), Alike(), frames, 16.0).why == "no face"


def test_how_many_clips_survive_each_step_is_said_once_the_data_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    out = {"several faces": 3, "no face": 2, "another face later": 1}
    survivors = Survivors(20, out, people=5, crossed=12)
    said: list[str] = []
    monkeypatch.setattr(person, "PersonTask", lambda *_: SimpleNamespace(survivors=survivors))
    place = SimpleNamespace(frozen=lambda name: None, folder=Path(), device="cpu", tell=said.append)
    model = SimpleNamespace(take_tower=lambda encoder: None)
    TRAININGS["personalize"].load().task(model, PersonTaskConfig(), place)  # type: ignore[arg-type]
    (line,) = said
    counts = [int(number) for number in re.findall(r"(\d+) (?:with|clips|people|are)", line)]
    assert counts == [20, 17, 15, 15, 14, 14, 5, 12], line


def test_films_of_alike_faces_are_one_persons() -> None:
    a, b = torch.eye(512)[0], torch.eye(512)[1]
    close = torch.nn.functional.normalize(a + 0.3 * b, dim=0)
    assert people_of(torch.stack((a, b, close, b))) == [0, 1, 0, 1]


def task_of(folder: Path, text: TextEncoder, tower: bool, crossed: float, latents: int = 0) -> PersonTask:
    torch.manual_seed(0)
    config = PersonTaskConfig(
        people=3,
        takes=2,
        figures=0.0,
        size=(32, 32),
        seconds=0.5,
        batch=4,
        tower=tower,
        crossed=crossed,
        latents=latents,
    )
    model = PersonalModel(PersonalConfig(**SMALL, aligned=PRESETS["debug"]))  # type: ignore[arg-type]
    awake(model)
    seer, tae = Seer(), TAE.from_preset("tiny").eval()
    task = PersonTask.__new__(PersonTask)
    for number in range(6):
        task.config = config
        scene = task.scene(number)
        frames = render([scene], (32, 32))[0]
        seer.tell(frames[[0, len(frames) - 1]], scene, [0, len(frames) - 1])
    encoder = ArcFace.from_preset("debug").eval()
    return PersonTask(model, tae, text, seer, encoder, config, folder)


def test_three_stages_train_what_they_should(
    text: TextEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediagen.personalize.pairs.LEAST", 8)
    monkeypatch.setattr("mediagen.personalize.pairs.STEADY", -1.0)  # the encoder knows nobody
    monkeypatch.setattr("mediagen.personalize.pairs.SIDEWAYS", 9.0)
    paired = task_of(tmp_path / "1", text, tower=False, crossed=0.0, latents=1)
    assert paired.survivors.clips == 6 and paired.survivors.people == 3 and paired.survivors.crossed == 6
    assert paired.batch(0, 0, 1).latent.shape[2] == 1
    rng = np.random.default_rng(0)
    assert all(paired.reference(row, rng) == row for row in range(6))
    crossed = task_of(tmp_path / "3", text, tower=True, crossed=1.0)
    assert all(crossed.reference(row, rng) == row ^ 1 for row in range(6)), "the other take of the same person"
    for task, moves in ((paired, False), (crossed, True)):
        before = {name: value.clone() for name, value in task.model.state_dict().items()}
        train(
            task, TrainConfig(steps=2, batch=4, lr=1e-2, warmup=1, preview_every=0, save_every=2), tmp_path / str(moves)
        )
        after = task.model.state_dict()
        towers = [name for name in after if name.startswith("person.tower.encoder")]
        assert any(not torch.equal(before[name], after[name]) for name in towers) == moves
        assert not torch.equal(before["person.vector.weight"], after["person.vector.weight"])
    caption = crossed.caption(0, rng)
    assert caption.startswith("a person ") and not {"hair", "glasses", "beard", "woman"} & set(caption.split())


def watched(*turns: float, vector: int = 0) -> Watched:
    vectors = torch.zeros(len(turns), 512)
    for row, turn in enumerate(turns):
        if not np.isnan(turn):
            vectors[row, vector] = 1.0
    return Watched(vectors, np.array(turns))


def test_measures_of_clips_whose_people_are_known() -> None:
    nan = float("nan")
    references = [watched(turn, vector=row) for row, turn in enumerate((-0.3, 0.0, 0.1, 0.4))]
    copied = [watched(turn, turn, vector=row) for row, turn in enumerate((-0.3, 0.0, 0.1, 0.4))]
    figures = table(copied, references, copied)
    assert figures["rank1"] == figures["cosine_of_ceiling"] == figures["faces"] == figures["first_to_last"] == 1.0
    assert figures["copying"] == pytest.approx(1.0)
    free = [watched(0.2, -0.2, vector=row) for row in range(4)]
    assert abs(copying(free, [-0.3, 0.0, 0.1, 0.4])) < 1e-6
    vectors = torch.stack([one.vector for one in references])
    mixed = [*copied[:2], watched(0.1, vector=3), watched(nan, nan)]  # one is somebody else, one shows nobody
    assert rank_one(mixed, vectors)["rank1"] == 0.5 and rank_one(mixed, vectors)["rank1_high"] < 1
    assert cosines(mixed, vectors)["cosine"] == pytest.approx(2 / 3)
    assert steadiness([watched(0.1, nan), watched(0.1, 0.1)])["faces"] == 0.75


def test_watching_a_clip_finds_its_largest_face() -> None:
    points = np.array([[10.0, 10], [20, 10], [17, 15], [11, 20], [19, 20]])

    class Two:
        def find(self, frames: Tensor) -> list[list[Face]]:
            far, near = Face((0.0, 0, 8, 8), points - 5), Face((0.0, 0, 30, 30), points)
            return [[far, near], []]

    seen = watch(Two(), ArcFace.from_preset("debug").eval(), torch.zeros(2, 40, 40, 3, dtype=torch.uint8))
    assert seen.turned[0] == pytest.approx(0.2) and seen.seen.tolist() == [True, False]
