def read_scores(path):
    """Return the valid (name, points) pairs and the numbers of wrong lines."""
    scores = []
    wrong = []
    return scores, wrong


def best_score(path):
    """Return the pair with the most points."""
    scores, wrong = read_scores(path)
    return None
