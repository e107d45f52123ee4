/* System V shared memory for PostgreSQL where the sandbox denies it: the server
   needs one small segment to tell its own processes by, and all of them are
   forked from the one that makes it. */
typedef unsigned long size_t;
void *mmap(void *, size_t, int, int, int, long);
int *__errno_location(void);

static size_t sizes[64];
static int count;

int shmget(int key, size_t size, int flags) {
	(void)key;
	(void)flags;
	if (count == 64)
		return -1;
	sizes[count] = size;
	return count++;
}

void *shmat(int id, const void *where, int flags) {
	(void)where;
	(void)flags;
	return mmap(0, sizes[id], 3, 0x21, -1, 0); /* read and write, shared, anonymous */
}

int shmdt(const void *where) {
	(void)where;
	return 0;
}

int shmctl(int id, int command, void *state) {
	(void)id;
	(void)state;
	if (command == 0)
		return 0; /* IPC_RMID */
	*__errno_location() = 22;
	return -1;
}
