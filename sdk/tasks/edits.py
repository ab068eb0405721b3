"""EditWork: one edit on its way: what is asked, where it is, what the model makes of it, and what it left alone."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mediagen.edit.generate import EditWay, edit_film, task_of
from mediagen.edit.measure import marked
from mediagen.edit.nouns import sought
from mediagen.edit.rest import Kept, grown, strength
from mediagen.edit.windows import EditModels, Wish, count_windows, decode_windows
from mediagen.sdk.errors import ModelError, RequestError
from mediagen.sdk.models.folder import ModelFolder
from mediagen.sdk.models.limits import Limits
from mediagen.sdk.tasks.edit_requests import EditRequest
from mediagen.sdk.tasks.edit_sources import Source
from mediagen.sdk.tasks.edited import Laying, Window
from mediagen.sdk.tasks.first_frame import fingerprint, read_mask
from mediagen.sdk.tasks.progress import ProgressCallback
from mediagen.sdk.tasks.work import StepCallback, Work
from mediagen.world.edit_names import LOCAL, TASKS
from mediagen.world.palette import COLOUR_RGB
from mediagen.world.scene import COLOURS, KINDS, PLACES

MARK_STEPS = 16  # of marking, which has less to invent
_LEAST = 5e-4  # share of the pictures that a thing fills which is found
KNOWN = f"the models know people and {', '.join(KINDS)} in {', '.join(PLACES)}; other films are edited less surely."


class Bits:
    """Masks, bool (F, h, w), kept in an eighth of their memory."""

    def __init__(self, mask: Tensor) -> None:
        self._shape, self._bits = mask.shape, np.packbits(mask.numpy())

    def mask(self) -> Tensor:
        """As they were given."""
        count = int(np.prod(self._shape))
        return torch.from_numpy(np.unpackbits(self._bits, count=count).reshape(self._shape).astype(bool))


class EditWork(Work):
    """Edits one source by one request that is filled in, seed included."""

    def __init__(
        self,
        models: ModelFolder,
        request: EditRequest,
        on_step: StepCallback | None,
        on_progress: ProgressCallback | None,
    ) -> None:
        super().__init__(models, request, on_step, on_progress)
        self.request = request
        self.told: dict[str, Any] = {}  # what the file says beyond the request

    def lay(self, source: Source) -> tuple[Laying, float | None]:
        """The edit laid over the source, and how well it is kept elsewhere; see `EditedFilm`.

        Raises RequestError, before any step, for what does not fit the film, and where a thing is not found in it.
        """
        check_models(self.models)
        request = self.request
        start, end = request.inside(source.size, source.seconds)
        place = self._place(source)
        models = self._edit_models()
        size, rate = size_for(source, self.limits), self.limits.fps
        task = request.task or task_of(models, request.prompt)
        self.told["edit_task"] = task
        if not source.settings:
            self.notes.append(KNOWN)

        def pictures() -> Iterator[Tensor]:
            return source.small(rate, size, start, end)

        count = max(1, int(np.ceil((end - start) * rate - 1e-6)))
        wish = self._wish(models, request.prompt, -1 if task is None else TASKS.index(task), rate)
        rest = place is None and (task in LOCAL if request.keep_rest is None else request.keep_rest)
        before = after = None
        if rest:
            assert task is not None or request.keep_rest
            olds, news = sought(task or "", request.prompt)
            if not olds and not news:
                rest = self._unnamed()
            elif olds:
                before = self._found(models, pictures, olds, wish, count, "Finding what changes")
                self._check_found(before, olds, task == "replace")
        seen = hashlib.sha256()
        latents = self._edited(models, _read(pictures(), seen), wish, count)
        self.told["film"] = seen.hexdigest()[:12]

        def made() -> Iterator[Tensor]:
            return decode_windows(models, (latent.float() for latent in latents), wish.overlap)

        if rest:
            _, news = sought(task or "", request.prompt)
            if news:
                after = self._found(models, made, news, wish, count, "Finding what changed")
                if before is None and not _any(after):
                    self.notes.append(f"no {news[0]} was found in the edited film: all that differs is shown.")
                    after = [Bits(_apart(film, new)) for film, new in _paired(pictures(), made())]
        masks = [Bits(_union(*both)) for both in zip(before or after or [], after or before or [], strict=True)]

        def windows() -> Iterator[Window]:
            found = iter(masks)
            for frames in made():
                yield frames, strength(grown(next(found).mask())) if rest else None

        laying = Laying(source, windows, rate, start, end, place)
        return laying, self._kept(source, laying, pictures, rest)

    def _kept(
        self, source: Source, laying: Laying, pictures: Callable[[], Iterator[Tensor]], rest: bool
    ) -> float | None:
        """Measures what the model alone left, at its size, and says what is left of the film."""
        if not rest and laying.share is None:
            return None
        alone = Kept()
        shares: list[Tensor | None] = []

        def frames_of() -> Iterator[Tensor]:
            for frames, share in laying.windows():
                shares.append(share)
                yield frames

        for film, frames in _paired(pictures(), frames_of()):
            share = shares.pop()
            if share is None:
                assert laying.share is not None
                small = torch.nn.functional.interpolate(laying.share[None], frames.shape[1:3], mode="area")[0]
                share = small.expand(len(frames), -1, -1)
            alone.add(film, frames[: len(film)], share[: len(film)] > 0)
        self.told["kept"] = {"psnr": 99.0, "model_psnr": alone.psnr, "model_ssim": alone.ssim}
        return 99.0 if alone.psnr is not None else None

    def _edited(self, models: EditModels, film: Iterator[Tensor], wish: Wish, count: int) -> list[Tensor]:
        request = self.request
        assert request.guidance_scale is not None and request.picture_guidance_scale is not None
        way = EditWay(steps=self._count, text_scale=request.guidance_scale, film_scale=request.picture_guidance_scale)
        steps = self._steps("Making the pictures", count_windows(count, wish, models.tae.stride[0]) * self._count)
        rng = torch.Generator(self.models.device).manual_seed(self._seed)
        return [latent.half() for latent in edit_film(models, film, wish, rng=rng, way=way, on_step=steps)]

    def _found(
        self,
        models: EditModels,
        pictures: Callable[[], Iterator[Tensor]],
        names: list[str],
        wish: Wish,
        count: int,
        stage: str,
    ) -> list[Bits]:
        """Where things are, window after window, as the model marks them."""
        steps, limits = min(MARK_STEPS, self._count), self.limits
        way = EditWay(
            steps=steps,
            text_scale=limits.edit_guidance_scale,
            film_scale=limits.edit_picture_guidance_scale,
        )
        total = len(names) * count_windows(count, wish, models.tae.stride[0]) * steps
        found: list[Bits] = []
        for index, name in enumerate(names):
            colour = _colour(next(pictures()), self.request.prompt)
            told = self._wish(models, f"mark the {name} in {colour}", TASKS.index("mark"), wish.fps)
            rng = torch.Generator(self.models.device).manual_seed(self._seed)
            on_step = self._steps(stage, total, index * total // len(names))
            latents = edit_film(models, pictures(), told, rng=rng, way=way, on_step=on_step)
            made = decode_windows(models, latents, told.overlap)
            masks = [
                Bits(_filled(marked(film, frames[: len(film)], COLOUR_RGB[colour]), len(frames)))
                for film, frames in _paired(pictures(), made)
            ]
            found = masks if not found else [Bits(_union(*both)) for both in zip(found, masks, strict=True)]
        return found

    def _check_found(self, found: list[Bits], names: list[str], either: bool) -> None:
        if not _any(found):
            what = " and no ".join(names) if either else names[0]
            raise RequestError(
                f"no {what} was found in the film; edit all the same with keep_rest=False (--keep-rest off), or give a "
                "region or a mask."
            )

    def _unnamed(self) -> bool:
        """What becomes of the rest where an instruction names no thing."""
        if self.request.keep_rest:
            raise RequestError(
                f"got keep_rest for '{self.request.prompt}', which names nothing that the models know; give a region "
                "or a mask."
            )
        self.notes.append("the instruction names nothing that the models know, so the whole picture is the model's.")
        return False

    def _place(self, source: Source) -> Tensor | None:
        """Where the user says that the edit is, bool (H, W)."""
        request, (width, height) = self.request, source.size
        if request.region is not None:
            left, top, wide, high = request.region
            place = torch.zeros(height, width, dtype=torch.bool)
            place[top : top + high, left : left + wide] = True
            return place
        if request.mask is None:
            return None
        place = read_mask(request.mask)
        if tuple(place.shape) != (height, width):
            raise RequestError(
                f"got a mask of {place.shape[1]}x{place.shape[0]}, expected {width}x{height} as the film has; scale it."
            )
        if not bool(place.any()):
            raise RequestError("got a mask that is all black, expected white where the film may change; paint some.")
        self.told["mask"] = fingerprint(place)
        return place

    def _wish(self, models: EditModels, instruction: str, task: int, fps: float) -> Wish:
        stride, patch, longest = models.tae.stride[0], models.edit.config.patch[0], models.edit.config.longest[0]
        tokens = max(1, min(longest, int(self.limits.max_seconds * fps) // (stride * patch)))
        overlap = tokens // 2 * patch
        return Wish(
            instruction=instruction,
            negative=self.request.negative_prompt,
            task=task,
            fps=fps,
            frames=tokens * patch * stride,
            overlap=overlap,
        )

    def _edit_models(self) -> EditModels:
        names = ("prompt", "tae", "edit")
        if not all(self.models.loaded(name) for name in names):
            self._stage("Loading")
        text, tae, edit = (self.models.get(name) for name in names)
        tasks = self.models.get("edit_tasks") if self.models.has("edit_tasks") else None
        if tasks is None and self.request.task is None:
            self.notes.append("the model folder has no edit_tasks, so that the task is not known; give it.")
        self._stage("Reading the prompt")
        if text.too_long([self.request.prompt])[0]:
            self.notes.append("the prompt is longer than the model reads; its end was left out.")
        return EditModels(text, edit, tae, tasks, self._decoder("tae"))


def size_for(source: Source, limits: Limits) -> tuple[int, int]:
    """The size of the models' that is nearest to a film's in shape, and then the largest."""
    shape = source.size[0] / source.size[1]
    return min(limits.all_sizes, key=lambda s: (round(abs(np.log(s[0] / s[1] / shape)), 3), -s[0] * s[1]))


def check_models(models: ModelFolder) -> None:
    """ModelError where a folder has no model that edits."""
    if not models.has("edit"):
        raise ModelError(
            f"got the model folder '{models.path}', which has no edit model; train one with 'mediagen train edit "
            "--start VIDEO_MODEL --into FOLDER', or give a folder that has one."
        )


def _read(pieces: Iterator[Tensor], total: "hashlib._Hash") -> Iterator[Tensor]:
    """The pieces, which are counted into a digest as they go by."""
    for piece in pieces:
        total.update(piece.numpy().tobytes())
        yield piece


def _any(found: list[Bits]) -> bool:
    share = [float(bits.mask().float().mean()) for bits in found]
    return bool(share) and max(share) >= _LEAST


def _union(one: Bits, other: Bits) -> Tensor:
    return one.mask() | other.mask()


def _apart(film: Tensor, made: Tensor) -> Tensor:
    differs = (film.int() - made[: len(film)].int()).abs().amax(-1) > 40
    return _filled(differs, len(made))


def _filled(mask: Tensor, count: int) -> Tensor:
    """A mask with its last picture's repeated, for what a window holds beyond the film's end."""
    return torch.cat((mask, mask[-1:].expand(count - len(mask), -1, -1)))


def _paired(film: Iterator[Tensor], windows: Iterator[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """The film in pieces as long as the windows, each with its window; the last piece may be shorter."""
    rest: Tensor | None = None
    for window in windows:
        while rest is None or len(rest) < len(window):
            piece = next(film, None)
            if piece is None:
                break
            rest = piece if rest is None else torch.cat((rest, piece))
        assert rest is not None and len(rest)
        yield rest[: len(window)], window
        rest = rest[len(window) :]


def _colour(picture: Tensor, instruction: str) -> str:
    """A colour to mark by that is not in the picture, nor in the instruction."""
    seen = picture[0].float().flatten(0, 1)

    def far(name: str) -> float:
        return float((seen - 255 * torch.tensor(COLOUR_RGB[name])).square().mean(-1).quantile(0.02))

    return max((name for name in COLOURS[:8] if name not in instruction.lower()), key=far)
