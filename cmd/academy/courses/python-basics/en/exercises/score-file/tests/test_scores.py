import pytest

from scores import best_score, read_scores


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        path = tmp_path / "scores.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def test_scores_come_in_the_order_of_the_file(write):
    path = write("ida: 120\nbo: 95\n")
    assert read_scores(path) == ([("ida", 120), ("bo", 95)], [])


def test_spaces_and_empty_lines_do_not_matter(write):
    path = write("\n  ida :  120  \n\n   \nbo:95")
    assert read_scores(path) == ([("ida", 120), ("bo", 95)], [])


def test_wrong_lines_are_told_by_their_numbers(write):
    path = write("ida: 120\nbo: 95\n\nbo: lots\ncy 80\n")
    assert read_scores(path) == ([("ida", 120), ("bo", 95)], [4, 5])


@pytest.mark.parametrize("line", ["ida", "ida:", ": 5", "   : 5", "ida: 1.5", "ida: 1: 2", "120: ida"])
def test_this_line_is_wrong(write, line):
    assert read_scores(write(line + "\n")) == ([], [1])


def test_names_keep_their_accents(write):
    assert read_scores(write("zoë: 3\n"))[0] == [("zoë", 3)]


def test_an_empty_file_has_nothing(write):
    assert read_scores(write("")) == ([], [])


def test_the_best_score_has_the_most_points(write):
    assert best_score(write("ida: 9\nbo: 100\ncy: 20\n")) == ("bo", 100)


def test_the_earlier_of_two_equal_scores_is_the_best(write):
    assert best_score(write("ida: 9\nbo: 9\n")) == ("ida", 9)


def test_points_may_be_negative(write):
    assert best_score(write("ida: -9\nbo: -3\n")) == ("bo", -3)


def test_a_file_without_scores_is_refused_by_name(write):
    with pytest.raises(ValueError, match="scores.txt"):
        best_score(write("nothing here\n"))


def test_a_missing_file_is_reported_as_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_scores(tmp_path / "nowhere.txt")
