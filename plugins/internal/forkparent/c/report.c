/* Reports from the process of tests and submission to its parent. */
#include "system.h"
#include "harness.h"
#include <stdio.h>

GT_HIDDEN extern char gt_token[33];
GT_HIDDEN extern int gt_pipe, gt_ack;
const char *gt_file = "";

enum { MOST_TEXT = 16 << 10 };

static char running[2048];

void gt_report(char kind, const char *status, const char *message)
{
	static char line[2 * (MOST_TEXT + sizeof running) + 64];
	unsigned used = 0;
	for (const char *p = gt_token; *p; p++)
		line[used++] = *p;
	line[used++] = ' ';
	line[used++] = kind;
	if (kind != 'D') {
		line[used++] = ' ';
		used += gt_hex(line + used, running, gt_len(running));
	}
	if (status) {
		line[used++] = ' ';
		line[used++] = *status;
		line[used++] = ' ';
		unsigned n = gt_len(message);
		used += gt_hex(line + used, message, n < MOST_TEXT ? n : MOST_TEXT);
	}
	line[used++] = '\n';
	gt_write(gt_pipe, line, used);
	/* Until the parent has taken what was printed so far, nothing more is. */
	char taken;
	if (kind != 'D')
		while (gt_sys(SYS_read, gt_ack, (long)&taken, 1, 0, 0) == -4)
			;
}

int gt_begin(const char *file, const char *name)
{
	unsigned used = 0;
	for (const char *p = file; *p && used < sizeof running - 3; p++)
		running[used++] = *p;
	running[used++] = ':';
	running[used++] = ':';
	for (const char *p = name; *p && used < sizeof running - 1; p++)
		running[used++] = *p;
	running[used] = 0;
	if (gt_only && !gt_same(gt_only, running)) {
		running[0] = 0;
		return 0;
	}
	fflush(NULL);
	gt_report('S', NULL, NULL);
	return 1;
}

void gt_end(char status, const char *message)
{
	if (!running[0])
		return;
	fflush(NULL);
	gt_report('R', &status, message);
	running[0] = 0;
}
