"""Faces: alignment, finding, knowing again, their trainings and adapters, and the drawn person most like a photo."""

import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mediagen.data.degrade import encoded
from mediagen.errors import ModelError
from mediagen.personalize import adapters
from mediagen.personalize.align import FACE, TEMPLATE, Frame, align, similarity
from mediagen.personalize.arcface import ArcFace, ArcFaceConfig, keep_encoder, margin_loss, standard
from mediagen.personalize.degrade import wear
from mediagen.personalize.faces import Face, FaceFinder, overlap, read
from mediagen.personalize.likeness import likeness
from mediagen.personalize.portraits import face_of, face_pool, portrait_scene, takes
from mediagen.personalize.train.encoder import EncoderTask, EncoderTaskConfig, judge
from mediagen.personalize.train.faces import FinderTask, FinderTaskConfig, Seen, draw_seen, score, targets
from mediagen.weights import load_model, save_model
from mediagen.world.draw import truth

torch.set_num_threads(1)


def test_a_similarity_is_found_again() -> None:
    angle, scale, shift = 0.4, 1.7, np.array([5.0, -3.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(TEMPLATE, TEMPLATE @ turn.T + shift)
    np.testing.assert_allclose(found, np.concatenate((turn, shift[:, None]), 1), atol=1e-9)


def test_alignment_puts_a_dot_at_each_landmark_where_arcface_expects_it() -> None:
    angle = 0.3
    turn = 2.0 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE - 56) @ turn.T + 160  # a face twice as large, tilted, in pixels from the corner
    picture = torch.zeros(320, 320, 3)
    y, x = torch.meshgrid(torch.arange(320) + 0.5, torch.arange(320) + 0.5, indexing="ij")
    for px, py in points:
        picture += 255 * torch.exp(-((x - px) ** 2 + (y - py) ** 2) / 32)[..., None]
    made = align(picture.clamp(0, 255).to(torch.uint8)[None], points[None])[0, ..., 0].float()
    for px, py in TEMPLATE:
        near = made[round(py) - 5 : round(py) + 6, round(px) - 5 : round(px) + 6]
        rows, columns = torch.arange(-5, 6.0) + round(py), torch.arange(-5, 6.0) + round(px)
        at = ((near.sum(1) * rows).sum() / near.sum(), (near.sum(0) * columns).sum() / near.sum())
        assert abs(float(at[0]) - py) < 0.3 and abs(float(at[1]) - px) < 0.3


def test_an_aligned_face_does_not_depend_on_the_size_of_the_picture() -> None:
    scene = portrait_scene(3, 0)
    small, large = takes([scene], 128, [4])[0], takes([scene], 512, [4])[0]
    off = (small.aligned()[0].float() - large.aligned()[0].float()).abs().mean()
    assert off < 6, "the same face, but for the blur of the smaller picture"
    assert small.aligned(Frame(side=48, share=0.5)).shape == (1, 48, 48, 3)


def test_the_face_of_a_portrait_is_what_the_world_calls_true() -> None:
    scene = portrait_scene(5, 1)
    told, found = truth(scene, (64, 64), [3, 20]).face, face_of(scene, [3, 20])
    assert told is not None
    np.testing.assert_allclose(found.box, told.box)
    np.testing.assert_allclose(found.points, told.points)


def test_two_takes_show_one_identity_and_splits_share_none() -> None:
    one, two, other = portrait_scene(7, 0), portrait_scene(7, 1), portrait_scene(7, 0, "test")
    assert one.person and two.person and other.person
    assert one.person.identity == two.person.identity != other.person.identity
    assert (one.place, one.person.motion, one.person.x) != (two.place, two.person.motion, two.person.x)


def test_wear_changes_nothing_at_no_strength_and_depends_on_the_generator_alone() -> None:
    faces = standard(face_pool(range(2), 1)[0].flatten(0, 1))
    same = wear(faces, torch.Generator().manual_seed(0), 0.0)
    assert (same - faces).abs().max() < 1e-5
    one, two = (wear(faces, torch.Generator().manual_seed(1)) for _ in "ab")
    assert torch.equal(one, two) and (one - faces).abs().mean() > 0.02


def test_coarser_steps_of_the_encoding_lose_more() -> None:
    faces = (standard(face_pool(range(1), 1)[0].flatten(0, 1)) + 1) / 2
    losses = [float((encoded(faces, torch.full((2,), step)) - faces).abs().mean()) for step in (0.0, 0.02, 0.1)]
    assert losses[0] < 1e-6 < losses[1] < losses[2]


def perfect(seen: Seen, cells: int) -> torch.Tensor:
    """The answer of a finder that knows everything, by the inverse of `read`."""
    heat, owner = targets(seen, cells)
    answer = torch.zeros(len(heat), 15, cells, cells)
    answer[:, 0] = torch.logit(heat.clamp(1e-4, 1 - 1e-4)) - 1
    place = (torch.arange(cells) + 0.5) * 4
    for row, i, j in (owner >= 0).nonzero().tolist():
        box, points = seen.boxes[row, owner[row, i, j]], seen.points[row, owner[row, i, j]]
        reach = torch.stack((place[j] - box[0], place[i] - box[1], box[2] - place[j], box[3] - place[i]))
        answer[row, 1:5, i, j] = (reach / 4).clamp_min(1e-2).log()
        middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
        answer[row, 5:, i, j] = ((points - middle) / half).flatten()
    return answer


def test_a_finder_that_answers_the_truth_finds_every_face_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = draw_seen(range(24), "train", 128)
    finder = FaceFinder.from_preset("debug").eval()
    answers = perfect(seen, 32)
    monkeypatch.setattr(finder, "forward", lambda pictures: answers[: len(pictures)])
    monkeypatch.setattr("mediagen.personalize.faces._CHUNK", len(answers))
    figures = score(finder.find(seen.pictures), seen)
    assert figures["faces"] > 10 and figures["recall"] == figures["precision"] == 1.0 and figures["landmarks"] < 0.02


def test_boxes_come_back_at_the_size_of_any_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = FaceFinder.from_preset("debug").eval()
    answer = torch.full((1, 15, 16, 32), -9.0)
    answer[:, 1:] = 0.0
    answer[0, 0, 4, 8] = 3.0  # its centre is (34, 18) of 128 x 64 pixels, its reach one cell of 4
    monkeypatch.setattr(finder, "forward", lambda pictures: answer)
    (face,) = finder.find(torch.zeros(1, 80, 160, 3, dtype=torch.uint8))[0]
    np.testing.assert_allclose(face.box, np.array([30, 14, 38, 22]) * 1.25, rtol=1e-5)
    with pytest.raises(ValueError, match="expected uint8"):
        finder.find(torch.zeros(1, 3, 80, 160))


def test_the_score_of_a_finder_counts_misses_and_ghosts() -> None:
    seen = Seen(
        torch.zeros(2, 32, 32, 3, dtype=torch.uint8),
        torch.tensor([[[4.0, 4, 12, 12]], [[0, 0, 0, 0]]]),
        torch.zeros(2, 1, 5, 2),
        torch.tensor([[True], [False]]),
    )
    ghost = Face((20.0, 20.0, 28.0, 28.0), np.zeros((5, 2)))
    near = Face((5.0, 4.0, 13.0, 12.0), np.zeros((5, 2)))
    assert overlap(near.box, (4, 4, 12, 12)) == pytest.approx(7 / 9)
    assert score([[near, ghost], [ghost]], seen)["precision"] == pytest.approx(1 / 3)
    assert score([[], []], seen)["recall"] == 0.0
    assert read(torch.zeros(1, 15, 2, 2))[0].shape == (1, 2, 2, 4)


def test_the_finder_learns(tmp_path: Path) -> None:
    task = FinderTask(FaceFinder.from_preset("debug"), FinderTaskConfig(scenes=16, batch=8, side=64, check=8))
    losses = steps(task, 12)
    assert losses[-1] < 0.8 * losses[0]
    again = task.batch(3, 0, 1)
    assert torch.equal(again.pictures, task.batch(3, 0, 1).pictures) and bool(again.there.any())
    assert {"recall", "precision"} <= set(task.preview(task.model, tmp_path, 1)) and list(tmp_path.glob("*.png"))


def test_the_encoder_learns_and_is_kept_without_its_centres(tmp_path: Path) -> None:
    config = ArcFace.PRESETS["debug"].replace(identities=12)
    task = EncoderTask(ArcFace(config), EncoderTaskConfig(batch=12, takes=1, rise=1, margin=0.1, wear=0.2))
    losses = steps(task, 12)
    assert losses[-1] < 0.9 * losses[0]
    save_model(task.model, task.model.config, tmp_path / "run")
    keep_encoder(tmp_path / "run", tmp_path / "kept")
    kept = load_model(ArcFace, tmp_path / "kept")
    assert kept.centres is None and kept.config.identities == 0
    faces = task.pool[:4, 0]
    assert torch.allclose(kept.embed(faces), task.model.eval().embed(faces), atol=2e-2)  # stored as float16
    assert torch.allclose(kept.embed(faces).norm(dim=1), torch.ones(4), atol=1e-5)


def steps(task: FinderTask | EncoderTask, count: int) -> list[float]:
    rng, losses = torch.Generator().manual_seed(0), []
    optimiser = torch.optim.AdamW(task.model.parameters(), 5e-3)
    for _ in range(count):
        loss, _ = task.loss(task.model, task.batch(0, 0, 1), rng)  # type: ignore[arg-type]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def test_the_margin_makes_the_right_answer_harder_and_nothing_else() -> None:
    vectors, centres = torch.randn(6, 512), torch.randn(9, 512)
    who = torch.arange(6)
    plain, right = margin_loss(vectors, centres, who, 0.0, 16.0)
    cosine = torch.nn.functional.cosine_similarity(vectors[:, None], centres[None], dim=2)
    assert float(plain) == pytest.approx(float(torch.nn.functional.cross_entropy(16 * cosine, who)), rel=1e-4)
    assert margin_loss(vectors, centres, who, 0.3, 16.0)[0] > plain and right.shape == (6,)


def test_a_perfect_encoder_is_judged_perfect_and_a_blind_one_by_chance() -> None:
    class Told:
        def __init__(self, vectors: torch.Tensor) -> None:
            self.vectors = vectors

        def embed(self, faces: torch.Tensor) -> torch.Tensor:
            return self.vectors

    faces = torch.zeros(20, 4, 112, 112, 3, dtype=torch.uint8)
    rng = torch.Generator().manual_seed(0)
    people = torch.nn.functional.normalize(torch.randn(20, 512, generator=rng), dim=1)
    best = judge(Told(people.repeat_interleave(4, 0)), faces, 600)
    assert best["verification"] == best["tar"] == best["rank1"] == 1.0
    blind = judge(Told(torch.nn.functional.normalize(torch.randn(80, 512, generator=rng), dim=1)), faces, 600)
    assert blind["verification"] < 0.6 and blind["tar"] < 0.1 and blind["rank1"] < 0.3


def test_an_insightface_pack_is_used_through_the_same_two_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fake of the package: what is tested is the order of channels, the half pixel, the length and the licence."""
    seen: dict[str, np.ndarray] = {}

    class Detector:
        def detect(self, picture: np.ndarray, max_num: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
            seen["picture"] = picture
            return np.array([[9.0, 1, 19, 11, 0.9], [1, 1, 6, 6, 0.8]]), np.zeros((2, 5, 2))

    class Recogniser:
        def get_feat(self, faces: list[np.ndarray]) -> np.ndarray:
            return np.full((len(faces), 512), 3.0)

    class FaceAnalysis:
        def __init__(self, name: str, root: str, allowed_modules: list[str]) -> None:
            self.det_model, self.models = Detector(), {"recognition": Recogniser()}

        def prepare(self, ctx_id: int, det_size: tuple[int, int]) -> None:
            pass

    package, app = types.ModuleType("insightface"), types.ModuleType("insightface.app")
    app.FaceAnalysis = FaceAnalysis  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "insightface", package)
    monkeypatch.setitem(sys.modules, "insightface.app", app)
    monkeypatch.setattr(adapters, "find_spec", lambda name: object())
    with pytest.raises(ModelError, match="expected a pack"):
        adapters.InsightFace("mine", tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "det.onnx").touch()
    pack = adapters.InsightFace("mine", tmp_path)
    assert "non-commercial" in caplog.text
    picture = torch.zeros(1, 24, 24, 3, dtype=torch.uint8)
    picture[..., 0] = 200  # red
    (left, right) = pack.find(picture)[0]
    assert seen["picture"][0, 0].tolist() == [0, 0, 200]
    assert left.box == (1.5, 1.5, 6.5, 6.5) and right.points[0].tolist() == [0.5, 0.5]
    assert torch.allclose(pack.embed(torch.zeros(2, 112, 112, 3, dtype=torch.uint8)).norm(dim=1), torch.ones(2))


def test_without_the_package_of_mtcnn_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install --no-deps facenet-pytorch"):
        adapters.MTCNN()


def test_mtcnn_finds_a_real_face() -> None:
    """The public-domain picture of scikit-image: Eileen Collins, whose eyes stand at (204, 100) and (247, 103)."""
    pytest.importorskip("skimage")
    if adapters.find_spec("facenet_pytorch") is None:
        pytest.skip("facenet-pytorch is not installed")
    from PIL import Image

    spec = adapters.find_spec("skimage")
    assert spec is not None and spec.submodule_search_locations
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / "astronaut.png"
    picture = torch.from_numpy(np.array(Image.open(path).convert("RGB")))
    (face,) = adapters.MTCNN().find(picture[None])[0]
    assert np.abs(face.points[:2] - [[204, 100], [247, 103]]).max() < 4 and face.turned < 0.1


def test_likeness_finds_what_is_plain_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediagen.personalize.likeness._PASSES", 1)  # of three: enough for what is plain
    scene = replace(portrait_scene(0, 0, "validation"), weather="clear", style="plain", time="day", place="meadow")
    assert scene.person is not None
    who = replace(scene.person.identity, glasses="square", beard="full", hair_style="short", hair_colour="red",
                  woman=False, age="adult")  # fmt: skip
    who = replace(who, shape=replace(who.shape, skin=0.9))
    scene = replace(scene, person=replace(scene.person, identity=who, hat="none", motion="looks ahead"))
    take = takes([scene], 128, [4])[0]
    heard: list[tuple[int, int]] = []
    box = take.face.box[0] * 128
    found = likeness(
        take.pictures[0], Face((box[0], box[1], box[2], box[3]), take.face.points[0] * 128),
        on_try=lambda done, of_all: heard.append((done, of_all)),
    )  # fmt: skip
    assert found.identity.glasses == "square" and found.identity.beard == "full" and found.guess.person.hat == "none"
    assert found.identity.hair_colour == "red" and abs(found.identity.shape.skin - 0.9) < 0.2
    assert found.face.shape == (FACE.side, FACE.side, 3) and heard[-1][0] == heard[-1][1]


def test_a_config_of_another_size_is_kept_in_the_folder(tmp_path: Path) -> None:
    config = ArcFaceConfig(widths=(8, 16, 8), blocks=(1, 1, 1), last=4)
    save_model(ArcFace(config), config, tmp_path)
    assert load_model(ArcFace, tmp_path).config == config
