"""Edit lists as numbers: what is left of one from the first picture on, and the ticks that count films exactly."""

from fractions import Fraction

from mediagen.media.remux.boxes import Edit, Edits, common_scale


def test_edits_from_the_first_picture_on_begin_where_it_is_shown() -> None:
    second = Fraction(1)
    listed = Edits([Edit(2 * second, None), Edit(5 * second, 3 * second), Edit(second, Fraction(0))], 1000)
    whole = listed.from_first(2 * second)
    assert whole == listed.edits[1:]
    later = listed.from_first(Fraction(5, 2))  # half a second into the second edit
    assert later == [Edit(Fraction(9, 2), Fraction(7, 2)), listed.edits[2]]


def test_films_are_counted_in_ticks_of_both_unless_there_are_too_many() -> None:
    assert common_scale(1000, 48_000) == 48_000 and common_scale(600, 1001) == 600 * 1001
    assert common_scale(65_537, 65_539) == 65_537, "a scale has 32 bits"
