"""What is left alone stays as it was, byte for byte; and which things an instruction names."""

import numpy as np
import torch

from mediagen.edit.nouns import named, sought
from mediagen.edit.rest import GROW, SOFT, Kept, grown, laid, sized, sized_share, strength
from mediagen.world.edits import draw_edit, subject
from mediagen.world.instructions import instruct


def pictures(seed: int, size: tuple[int, int] = (100, 80)) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (3, size[1], size[0], 3), generator=rng, dtype=torch.uint8)


def box() -> torch.Tensor:
    mask = torch.zeros(3, 80, 100, dtype=torch.bool)
    mask[:, 20:60, 0:50] = True
    return mask


def test_outside_of_the_mask_the_film_stays_and_the_border_is_inside() -> None:
    film, edited, mask = pictures(0), pictures(1), box()
    share = strength(mask)
    made = laid(film, edited, share)
    assert torch.equal(made[~mask], film[~mask])
    soft = round(SOFT * 80)
    assert torch.equal(made[:, 20 + soft : 60 - soft, : 50 - soft], edited[:, 20 + soft : 60 - soft, : 50 - soft])
    assert (
        0 < share[0, 40, 49] < 1 and share[0, 40, 50] == 0 and share[0, 40, 0] == 1
    )  # no border at the picture's edge
    assert bool((share[mask] > 0).all())


def test_a_found_mask_grows_by_what_is_said() -> None:
    mask = torch.zeros(1, 100, 100, dtype=torch.bool)
    mask[0, 50, 50] = True
    reach = round((GROW + SOFT) * 100)
    assert grown(mask).sum() == (2 * reach + 1) ** 2


def test_sizes() -> None:
    film = pictures(2)
    assert torch.equal(sized(film, (100, 80)), film)
    flat = torch.full((2, 10, 12, 3), 77, dtype=torch.uint8)
    assert sized(flat, (33, 21)).shape == (2, 21, 33, 3) and bool((sized(flat, (33, 21)) == 77).all())
    share = strength(box())
    large = sized_share(share, (200, 160))
    assert large.shape == (3, 160, 200) and bool((large[:, 130:] == 0).all()) and float(large.max()) == 1.0


def test_what_was_kept_is_counted_over_pieces() -> None:
    film, mask = pictures(3), box()
    made = film.clone()
    made[mask] = 0
    kept = Kept()
    for piece in range(3):
        kept.add(film[piece : piece + 1], made[piece : piece + 1], mask[piece : piece + 1])
    assert kept.psnr == 99.0 and kept.ssim is not None and kept.ssim > 0.999
    kept = Kept()
    kept.add(film, 255 - film, mask)
    assert kept.psnr is not None and kept.psnr < 10 and kept.ssim is not None and kept.ssim < 0.5
    nothing = Kept()
    nothing.add(film, made, torch.ones_like(mask))
    assert nothing.psnr is None and nothing.ssim is None


def test_named_things() -> None:
    assert named("Turn the round ball into a toy car!") == ["ball", "car"]
    assert named("give him glasses") == ["man"] and named("make her hair red") == ["woman"]
    assert named("let it snow") == [] and named("put the elderly man on the beach") == ["elderly man"]
    assert sought("add", "add a star on the left") == ([], ["star"])
    assert sought("remove", "take the ships away") == (["boat"], [])
    for seed in range(40):  # whatever is asked for of one thing is named
        for task in ("recolour", "remove", "resize"):
            edit = draw_edit(seed, "held-out", task)
            kind = subject(edit.before, edit.old).kind
            names = named(instruct(edit, np.random.default_rng(seed), held_out=True))
            assert names and (kind == "person" or names[0] == kind)
