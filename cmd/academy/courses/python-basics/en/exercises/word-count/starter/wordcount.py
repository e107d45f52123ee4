def words_of(text):
    """Return the words of a text in small letters, without punctuation."""
    return text.split()


def count_words(text):
    """Return a dictionary from word to how many times it appears."""
    return {}


def most_common(text, n):
    """Return the n most frequent (word, count) pairs."""
    return []
