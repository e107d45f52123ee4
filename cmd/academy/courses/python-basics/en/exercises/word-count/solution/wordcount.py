PUNCTUATION = '.,;:!?"'


def words_of(text):
    """Return the words of a text in small letters, without punctuation."""
    for mark in PUNCTUATION:
        text = text.replace(mark, " ")
    return text.lower().split()


def count_words(text):
    """Return a dictionary from word to how many times it appears."""
    counts = {}
    for word in words_of(text):
        counts[word] = counts.get(word, 0) + 1
    return counts


def most_common(text, n):
    """Return the n most frequent (word, count) pairs."""
    pairs = sorted(count_words(text).items(), key=lambda pair: (-pair[1], pair[0]))
    return pairs[:n]
