def read_scores(path):
    """Return the valid (name, points) pairs and the numbers of wrong lines."""
    scores = []
    wrong = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            name, _, points = line.partition(":")
            name = name.strip()
            try:
                points = int(points)
            except ValueError:
                wrong.append(number)
                continue
            if name:
                scores.append((name, points))
            else:
                wrong.append(number)
    return scores, wrong


def best_score(path):
    """Return the pair with the most points."""
    scores, _ = read_scores(path)
    if not scores:
        raise ValueError(f"{path} has no valid score")
    best = scores[0]
    for score in scores:
        if score[1] > best[1]:
            best = score
    return best
