/* The part of the harness that runs in the process of tests and submission. */
#include "system.h"
#include "harness.h"
#include <stdio.h>

GT_HIDDEN extern char gt_token[33];
GT_HIDDEN extern int gt_pipe, gt_ack;
const char *gt_file = "";

enum { MOST_TEXT = 16 << 10 };

static char running[2048];

static void report(char kind, const char *status, const char *message)
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
	report('S', NULL, NULL);
	return 1;
}

void gt_end(char status, const char *message)
{
	if (!running[0])
		return;
	fflush(NULL);
	report('R', &status, message);
	running[0] = 0;
}

/* Called by a failed assert, in place of the C library's. */
void __assert_fail(const char *expression, const char *file, unsigned line, const char *function)
{
	static char text[4096];
	snprintf(text, sizeof text, "assert\x1f%s\x1f%u\x1f%s\x1f%s", file, line, function ? function : "", expression);
	gt_end('f', text);
	gt_sys(SYS_exit_group, 1, 0, 0, 0, 0);
	__builtin_unreachable();
}

/* Choices of the sanitizers that hold whatever the environment says. */
GT_HIDDEN extern const char gt_sanitizer_options[];
const char *__asan_default_options(void) { return gt_sanitizer_options; }
const char *__ubsan_default_options(void) { return "print_stacktrace=0:color=never:exitcode=98"; }
const char gt_sanitizer_options[] = "detect_leaks=0:exitcode=98:color=never:quarantine_size_mb=8:detect_stack_use_after_return=0:"
	"allocator_may_return_null=1:handle_abort=0:detect_odr_violation=0:strict_string_checks=1:print_legend=0:print_scariness=0:malloc_context_size=12";

int main(void)
{
	gt_run_all();
	fflush(NULL);
	report('D', NULL, NULL);
	gt_sys(SYS_exit_group, 0, 0, 0, 0, 0);
	return 0;
}
