class Stack:
    def __init__(self):
        self.items = []

    def push(self, x):
        self.items.append(x)

    def pop(self):
        if not self.items:
            raise IndexError("the stack is empty")
        return self.items.pop()

    def __len__(self):
        return len(self.items)


def add(a, b):
    return a + b


def mean(numbers):
    return sum(numbers) / len(numbers)


def words(text):
    found = {}
    for word in text.lower().split():
        found[word] = found.get(word, 0) + 1
    return found
