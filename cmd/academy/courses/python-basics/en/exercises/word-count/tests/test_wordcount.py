from wordcount import count_words, most_common, words_of

RHYME = """Row, row, row your boat,
Gently down the stream!
Merrily, merrily, merrily, merrily:
life is but a dream."""


def test_words_come_in_order_and_in_small_letters():
    assert words_of("The Cat sat") == ["the", "cat", "sat"]


def test_punctuation_does_not_belong_to_words():
    assert words_of('Stop! "Who goes there?" he said; nobody: nothing.') == [
        "stop", "who", "goes", "there", "he", "said", "nobody", "nothing",
    ]


def test_an_apostrophe_stays_inside_its_word():
    assert words_of("I don't know.") == ["i", "don't", "know"]


def test_words_may_be_separated_by_punctuation_alone():
    assert words_of("one,two;three") == ["one", "two", "three"]


def test_a_text_without_words_has_none():
    assert words_of(" ... !! ") == []


def test_each_word_is_counted():
    assert count_words("To be, or not to be!") == {"to": 2, "be": 2, "or": 1, "not": 1}


def test_an_empty_text_has_no_counts():
    assert count_words("") == {}


def test_the_most_common_words_come_first():
    assert most_common(RHYME, 2) == [("merrily", 4), ("row", 3)]


def test_equally_common_words_come_in_alphabetical_order():
    assert most_common("pear fig apple fig pear kiwi", 4) == [
        ("fig", 2), ("pear", 2), ("apple", 1), ("kiwi", 1),
    ]


def test_asking_for_too_many_gives_all():
    assert most_common("one two", 10) == [("one", 1), ("two", 1)]


def test_asking_for_none_gives_none():
    assert most_common("one two", 0) == []
