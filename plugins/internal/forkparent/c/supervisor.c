/* The parent of the processes that run tests.
 *
 * It takes over before any constructor, reads the job from standard input, and
 * forks: a child runs all tests, and when it dies, more children run those that
 * are left, one each. No child knows the nonce or has the descriptor that
 * results leave by; it reports through a pipe, with a token of its own. This
 * file uses neither the C library nor anything that a submission could define. */
#include "system.h"
#include "harness.h"
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <fcntl.h>

enum { MOST_JOB = 1 << 20, MOST_IDS = 5000, MOST_LINE = 1 << 18, MOST_OUTPUT = 48 << 10 };

GT_HIDDEN char gt_token[33];
GT_HIDDEN int gt_pipe = -1, gt_ack = -1;
const char *gt_only;

static char job[MOST_JOB + 1];
static char only[4096];
static char *nonce;
static char *ids[MOST_IDS];
static char reported[MOST_IDS];
static unsigned id_count;
static unsigned long output_left;

static char line[MOST_LINE]; /* of a child's report */
static unsigned line_used;
static char output[MOST_OUTPUT];
static unsigned output_used;
static char current[8192]; /* the running test, in hexadecimal digits */
static int finished, over_limit;

static void say(const char *kind, const char *rest, unsigned n)
{
	static char hex[2 * MOST_OUTPUT + 2];
	unsigned used = 0;
	hex[used++] = ' ';
	used += gt_hex(hex + used, output, output_used);
	hex[used++] = '\n';
	gt_write(1, nonce, gt_len(nonce));
	gt_write(1, kind, gt_len(kind));
	gt_write(1, rest, n);
	gt_write(1, hex, used);
	output_used = 0;
}

static void take_output(int fd)
{
	char chunk[4096];
	for (;;) {
		long n = gt_sys(SYS_read, fd, (long)chunk, sizeof chunk, 0, 0);
		if (n <= 0)
			return;
		if ((unsigned long)n > output_left) {
			over_limit = 1;
			return;
		}
		output_left -= (unsigned long)n;
		for (long i = 0; i < n && output_used < MOST_OUTPUT; i++)
			output[output_used++] = chunk[i];
	}
}

static void mark(const char *hex, unsigned n)
{
	static char have[8192];
	for (unsigned i = 0; i < id_count; i++) {
		unsigned m = gt_len(ids[i]);
		if (2 * m != n || n >= sizeof have)
			continue;
		gt_hex(have, ids[i], m);
		have[n] = 0;
		unsigned same = 0;
		while (same < n && have[same] == hex[same])
			same++;
		if (same == n)
			reported[i] = 1;
	}
}

/* take_line reads "<token> S <id>", "<token> R <id> <status> <message>" or "<token> D". */
static void take_line(int out, int ack)
{
	char *p = line;
	unsigned n = line_used;
	if (n < 34)
		return;
	for (unsigned i = 0; i < 32; i++)
		if (p[i] != gt_token[i])
			return;
	char kind = p[33];
	take_output(out);
	if (kind == 'D') {
		finished = 1;
		return;
	}
	if (n < 36)
		return;
	unsigned id = 0;
	while (35 + id < n && p[35 + id] != ' ')
		id++;
	if (id + 1 >= sizeof current)
		return;
	if (kind == 'S') {
		say(" S ", p + 35, n - 35);
		for (unsigned i = 0; i < id; i++)
			current[i] = p[35 + i];
		current[id] = 0;
		gt_write(ack, "", 1);
	} else if (kind == 'R' && current[0] && gt_len(current) == id) {
		for (unsigned i = 0; i < id; i++)
			if (current[i] != p[35 + i])
				return;
		mark(current, id);
		current[0] = 0;
		say(" R ", p + 35, n - 35);
		gt_write(ack, "", 1);
	}
}

static void take_reports(int fd, int out, int ack)
{
	char chunk[4096];
	for (;;) {
		long n = gt_sys(SYS_read, fd, (long)chunk, sizeof chunk, 0, 0);
		if (n <= 0)
			return;
		for (long i = 0; i < n; i++) {
			if (chunk[i] == '\n') {
				take_line(out, ack);
				line_used = 0;
			} else if (line_used < MOST_LINE) {
				line[line_used++] = chunk[i];
			}
		}
	}
}

static void number(char *out, int n)
{
	char digits[12];
	unsigned used = 0;
	do {
		digits[used++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	while (used > 0)
		*out++ = digits[--used];
	*out = 0;
}

/* ended reports how a child that had not finished came to its end. */
static void ended(int status)
{
	char how[64] = " signal ";
	int n = status & 127;
	if (n == 0) {
		const char *exited = " exit ";
		for (unsigned i = 0; (how[i] = exited[i]); i++)
			;
		n = (status >> 8) & 255;
	}
	number(how + gt_len(how), n);
	static char rest[sizeof current + 64];
	unsigned used = 0;
	for (char *p = current[0] ? current : "-"; *p; p++)
		rest[used++] = *p;
	for (char *p = how; *p; p++)
		rest[used++] = *p;
	if (current[0])
		mark(current, gt_len(current));
	say(" X ", rest, used);
}

/* child returns in a new process, which goes on to the constructors and main. */
static int child(void)
{
	int ev[2], out[2], ack[2];
	unsigned char raw[16];
	if (gt_sys(SYS_pipe2, (long)ev, O_CLOEXEC | O_NONBLOCK, 0, 0, 0) < 0 || gt_sys(SYS_pipe2, (long)out, 0, 0, 0, 0) < 0 ||
	    gt_sys(SYS_pipe2, (long)ack, O_CLOEXEC, 0, 0, 0) < 0)
		return -1;
	gt_sys(SYS_fcntl, out[0], F_SETFL, O_NONBLOCK, 0, 0);
	gt_sys(SYS_fcntl, ev[1], F_SETFL, 0, 0, 0);
	gt_sys(SYS_getrandom, (long)raw, sizeof raw, 0, 0, 0);
	gt_hex(gt_token, (char *)raw, sizeof raw);
	long pid = gt_sys(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		return -1;
	if (pid == 0) {
		for (unsigned i = 0; i < MOST_JOB; i++)
			((volatile char *)job)[i] = 0;
		gt_sys(SYS_close, ev[0], 0, 0, 0, 0);
		gt_sys(SYS_dup3, out[1], 1, 0, 0, 0);
		gt_sys(SYS_dup3, out[1], 2, 0, 0, 0);
		gt_sys(SYS_close, out[0], 0, 0, 0, 0);
		gt_sys(SYS_close, out[1], 0, 0, 0, 0);
		long null = gt_sys(SYS_openat, -100, (long)"/dev/null", O_RDONLY, 0, 0);
		gt_sys(SYS_dup3, null, 0, 0, 0, 0);
		gt_sys(SYS_close, null, 0, 0, 0, 0);
		gt_sys(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
		gt_sys(SYS_close, ack[1], 0, 0, 0, 0);
		gt_pipe = ev[1];
		gt_ack = ack[0];
		return 1;
	}
	gt_sys(SYS_close, ev[1], 0, 0, 0, 0);
	gt_sys(SYS_close, out[1], 0, 0, 0, 0);
	struct pollfd fds[2] = {{ev[0], POLLIN, 0}, {out[0], POLLIN, 0}};
	int status = 0;
	finished = 0;
	current[0] = 0;
	line_used = 0;
	for (;;) {
		struct timespec_like { long s, ns; } wait = {0, 20000000};
		gt_sys(SYS_ppoll, (long)fds, 2, (long)&wait, 0, 0);
		long done = gt_sys(SYS_wait4, pid, (long)&status, 1 /* WNOHANG */, 0, 0);
		take_reports(ev[0], out[0], ack[1]);
		take_output(out[0]);
		if (over_limit || done == pid || done < 0)
			break;
	}
	gt_sys(SYS_kill, -1, SIGKILL, 0, 0, 0); /* it, and what it left behind */
	if (over_limit)
		say(" L ", current[0] ? current : "-", current[0] ? gt_len(current) : 1);
	else if (!finished)
		ended(status);
	else if (output_used > 0)
		say(" O ", "-", 1);
	while (gt_sys(SYS_wait4, -1, (long)&status, 0, 0, 0) > 0)
		;
	gt_sys(SYS_close, ev[0], 0, 0, 0, 0);
	gt_sys(SYS_close, out[0], 0, 0, 0, 0);
	gt_sys(SYS_close, ack[0], 0, 0, 0, 0);
	gt_sys(SYS_close, ack[1], 0, 0, 0, 0);
	return 0;
}

/* The job: "<nonce> <output limit>\n", then an expected test on each line. */
static int read_job(void)
{
	unsigned used = 0;
	while (used < MOST_JOB) {
		long n = gt_sys(SYS_read, 0, (long)(job + used), MOST_JOB - used, 0, 0);
		if (n <= 0)
			break;
		used += (unsigned)n;
	}
	nonce = job;
	char *p = job;
	while (*p && *p != ' ')
		p++;
	if (!*p)
		return 0;
	*p++ = 0;
	while (*p >= '0' && *p <= '9')
		output_left = output_left * 10 + (unsigned long)(*p++ - '0');
	while (*p == '\n' && id_count < MOST_IDS) {
		*p++ = 0;
		if (!*p)
			break;
		ids[id_count++] = p;
		while (*p && *p != '\n')
			p++;
	}
	*p = 0;
	return 1;
}

static void take_over(void)
{
	gt_sys(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!read_job())
		gt_sys(SYS_exit_group, 2, 0, 0, 0, 0);
	int who = child();
	if (who == 1)
		return;
	for (unsigned i = 0; who == 0 && !finished && !over_limit && i < id_count; i++) {
		if (reported[i])
			continue;
		unsigned n = 0;
		while (ids[i][n] && n < sizeof only - 1) {
			only[n] = ids[i][n];
			n++;
		}
		only[n] = 0;
		gt_only = only;
		who = child();
		if (who == 1)
			return;
		finished = 0; /* each of the others needs a process, too */
	}
	gt_write(1, nonce, gt_len(nonce));
	gt_write(1, " F - \n", 6);
	gt_sys(SYS_exit_group, 0, 0, 0, 0, 0);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = take_over;
