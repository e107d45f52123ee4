#include <stdlib.h>

/* A ring buffer. */
struct ring {
    int *items;
    size_t size;
};

static int next(struct ring *r, size_t at)
{
    return (int)((at + 1) % r->size);
}

// Frees it.
void ring_free(struct ring *r)
{
    char brace = '{';
    free(r->items);
    (void)brace;
}

int main(void) {
    return 0;
}
