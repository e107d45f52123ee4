/* Runs Unity's tests one by one and reports on each. */
#include "harness.h"
#include GT_UNITY_HEADER
#include <stddef.h>

static char said[16 << 10];
static size_t used;

void gt_unity_char(int c)
{
	if (used < sizeof said - 1)
		said[used++] = (char)c;
}

__attribute__((weak)) void setUp(void) {}
__attribute__((weak)) void tearDown(void) {}

void UnityDefaultTestRun(UnityTestFunction test, const char *name, const int line)
{
	if (!gt_begin(gt_file, name))
		return;
	used = 0;
	Unity.CurrentTestName = name;
	Unity.CurrentTestLineNumber = (UNITY_LINE_TYPE)line;
	Unity.NumberOfTests++;
#ifdef UNITY_CLR_DETAILS
	UNITY_CLR_DETAILS();
#endif
	static volatile int returned, cleaned;
	returned = cleaned = 0;
	if (TEST_PROTECT()) {
		setUp();
		test();
		returned = 1;
	}
	if (TEST_PROTECT()) {
		tearDown();
		cleaned = 1;
	}
	char status = 'p';
	if (Unity.CurrentTestFailed)
		status = 'f';
	else if (Unity.CurrentTestIgnored)
		status = 's';
	else if (!cleaned || (!returned && !GT_MAY_PASS_EARLY))
		status = 'e'; /* it was left by a jump that no check made */
	UnityConcludeTest();
	said[used] = 0;
	gt_end(status, status == 'e' ? "jumped" : said);
}
