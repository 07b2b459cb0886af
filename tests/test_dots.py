"""Pictures of dots: letters, and how they are put together."""

from firmware_bridge.dots import beside, fits, line, placed, stacked
from firmware_bridge.font import HEIGHT, LETTERS, UNKNOWN


def test_a_word_is_drawn() -> None:
    assert line("IÄ1") == (
        "###.#...#...#..",
        ".#.........##..",
        ".#...###....#..",
        ".#..#...#...#..",
        ".#..#####...#..",
        ".#..#...#...#..",
        "###.#...#..###.",
    )


def test_a_letter_may_be_larger() -> None:
    assert line(".", 2) == ("..",) * 12 + ("##",) * 2


def test_every_letter_is_seven_dots_high_and_looks_like_no_other() -> None:
    drawings = list(LETTERS.values())

    assert {len(letter) for letter in drawings} == {HEIGHT}
    assert all(len({len(row) for row in letter}) == 1 for letter in drawings)
    assert {name for name in LETTERS if drawings.count(LETTERS[name]) > 1} == {"O", "0"}


def test_there_are_letters_for_german_and_for_numbers() -> None:
    german = "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜabcdefghijklmnopqrstuvwxyzäöüß"

    assert set(german + "0123456789 .,:;!?-+><()/'\"&%=") <= set(LETTERS)
    assert {len(LETTERS[figure][0]) for figure in "0123456789"} == {5}


def test_what_was_never_drawn_is_an_empty_box() -> None:
    assert line("☃") == UNKNOWN


def test_pictures_stand_side_by_side_on_one_ground() -> None:
    assert beside((("##", "##"), (), ("#",)), 1) == ("##..", "##.#")


def test_pictures_stand_above_each_other_in_the_middle() -> None:
    assert stacked(("#",), ("###",)) == (".#.", "...", "###")


def test_a_picture_is_placed_in_the_middle_and_cut_where_there_is_no_room() -> None:
    assert placed(("##",), 4, 3) == ("....", ".##.", "....")
    assert placed(("####", "####", "####"), 2, 2) == ("##", "##")


def test_whether_a_picture_has_room() -> None:
    assert fits(("##",), 2, 1)
    assert not fits(("##",), 1, 1)
    assert not fits(("##", "##"), 2, 1)
