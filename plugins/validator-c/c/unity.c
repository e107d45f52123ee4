#include "unity.h"
#include "harness.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct UNITY_STORAGE_T Unity;

static void print(const char *text)
{
	while (*text)
		gt_unity_char(*text++);
}

static void place(UNITY_LINE_TYPE line, const char *what)
{
	char number[32];
	print(Unity.TestFile ? Unity.TestFile : "tests");
	snprintf(number, sizeof number, ":%u:", line);
	print(number);
	print(Unity.CurrentTestName ? Unity.CurrentTestName : "test");
	print(what);
}

static void fail(const char *said, const char *message, UNITY_LINE_TYPE line)
{
	place(line, ":FAIL");
	if (said && *said) {
		print(": ");
		print(said);
	}
	if (message && *message) {
		print(said && *said ? ". " : ": ");
		print(message);
	}
	Unity.CurrentTestFailed = 1;
	TEST_ABORT();
}

void UnityBegin(const char *file) { Unity.TestFile = file; }
int UnityEnd(void) { return (int)Unity.TestFailures; }
void UnityConcludeTest(void)
{
	Unity.TestFailures += Unity.CurrentTestFailed;
	Unity.TestIgnores += Unity.CurrentTestIgnored;
	Unity.CurrentTestFailed = Unity.CurrentTestIgnored = 0;
}

void UnityFail(const char *message, UNITY_LINE_TYPE line) { fail("", message, line); }

void UnityIgnore(const char *message, UNITY_LINE_TYPE line)
{
	place(line, ":IGNORE");
	if (message) {
		print(": ");
		print(message);
	}
	Unity.CurrentTestIgnored = 1;
	TEST_ABORT();
}

void UnityMessage(const char *message, UNITY_LINE_TYPE line)
{
	(void)line;
	puts(message);
}

static void show(char *out, size_t size, UNITY_INT v, enum UnityStyle style)
{
	switch (style) {
	case UNITY_UNSIGNED: snprintf(out, size, "%llu", (UNITY_UINT)v); break;
	case UNITY_HEXADECIMAL:
	case UNITY_POINTER: snprintf(out, size, "0x%llX", (UNITY_UINT)v); break;
	case UNITY_CHARACTER: snprintf(out, size, v >= 32 && v < 127 ? "'%c'" : "'\\x%02X'", (int)(v & 255)); break;
	default: snprintf(out, size, "%lld", v);
	}
}

static void differ(const char *before, UNITY_INT expected, UNITY_INT actual, const char *relation, enum UnityStyle style, const char *message, UNITY_LINE_TYPE line)
{
	char said[256], e[64], a[64];
	show(e, sizeof e, expected, style);
	show(a, sizeof a, actual, style);
	snprintf(said, sizeof said, "%sExpected %s%s Was %s", before, relation, e, a);
	fail(said, message, line);
}

void UnityCompare(UNITY_INT threshold, UNITY_INT actual, enum UnityRelation relation, enum UnityStyle style, const char *message, UNITY_LINE_TYPE line)
{
	int less = style == UNITY_SIGNED || style == UNITY_CHARACTER ? actual < threshold : (UNITY_UINT)actual < (UNITY_UINT)threshold;
	int same = actual == threshold;
	switch (relation) {
	case UNITY_EQUAL: if (!same) differ("", threshold, actual, "", style, message, line); break;
	case UNITY_NOT_EQUAL: if (same) differ("", threshold, actual, "to be not equal to ", style, message, line); break;
	case UNITY_GREATER: if (less || same) differ("", threshold, actual, "to be greater than ", style, message, line); break;
	case UNITY_LESS: if (!less) differ("", threshold, actual, "to be less than ", style, message, line); break;
	case UNITY_GREATER_OR_EQUAL: if (less) differ("", threshold, actual, "to be greater or equal to ", style, message, line); break;
	case UNITY_LESS_OR_EQUAL: if (!less && !same) differ("", threshold, actual, "to be less or equal to ", style, message, line); break;
	}
}

void UnityWithin(UNITY_INT delta, UNITY_INT expected, UNITY_INT actual, const char *message, UNITY_LINE_TYPE line)
{
	char said[256];
	UNITY_INT distance = actual > expected ? actual - expected : expected - actual;
	if (distance > delta) {
		snprintf(said, sizeof said, "Values Not Within Delta %lld Expected %lld Was %lld", delta, expected, actual);
		fail(said, message, line);
	}
}

void UnityTexts(const char *expected, const char *actual, size_t length, const char *message, UNITY_LINE_TYPE line)
{
	char said[2048];
	if (expected == actual)
		return;
	if (expected && actual && (length == (size_t)-1 ? strcmp(expected, actual) == 0 : strncmp(expected, actual, length) == 0))
		return;
	int most = length < 900 ? (int)length : 900;
	snprintf(said, sizeof said, "Expected %s%.*s%s Was %s%.*s%s", expected ? "'" : "", most, expected ? expected : "NULL", expected ? "'" : "",
		actual ? "'" : "", most, actual ? actual : "NULL", actual ? "'" : "");
	fail(said, message, line);
}

static UNITY_INT element(const void *p, size_t size, size_t i, enum UnityStyle style)
{
	const char *at = (const char *)p + size * i;
	int sign = style == UNITY_SIGNED || style == UNITY_CHARACTER;
	switch (size) {
	case 1: return sign ? *(const int8_t *)at : *(const uint8_t *)at;
	case 2: return sign ? *(const int16_t *)at : *(const uint16_t *)at;
	case 4: return sign ? *(const int32_t *)at : (UNITY_INT) * (const uint32_t *)at;
	default: return *(const int64_t *)at;
	}
}

static void missing(const void *expected, const void *actual, const char *message, UNITY_LINE_TYPE line)
{
	if (!expected != !actual)
		fail(actual ? "Expected NULL" : "Expected an array Was NULL", message, line);
}

void UnityArrays(const void *expected, const void *actual, size_t size, size_t count, enum UnityStyle style, const char *message, UNITY_LINE_TYPE line)
{
	if (expected == actual)
		return;
	missing(expected, actual, message, line);
	for (size_t i = 0; i < count; i++) {
		UNITY_INT e = element(expected, size, i, style), a = element(actual, size, i, style);
		if (e != a) {
			char before[48];
			snprintf(before, sizeof before, "Element %zu ", i);
			differ(before, e, a, "", style, message, line);
		}
	}
}

void UnityTextArrays(const char *const *expected, const char *const *actual, size_t count, const char *message, UNITY_LINE_TYPE line)
{
	if (expected == actual)
		return;
	missing(expected, actual, message, line);
	for (size_t i = 0; i < count; i++)
		UnityTexts(expected[i], actual[i], (size_t)-1, message, line);
}

void UnityDoubles(double delta, double expected, double actual, int relative, const char *message, UNITY_LINE_TYPE line)
{
	char said[256];
	if (relative)
		delta = fabs(expected) * delta;
	if (expected == actual || (isnan(expected) && isnan(actual)) || fabs(expected - actual) <= fabs(delta))
		return;
	snprintf(said, sizeof said, "Expected %g Was %g", expected, actual);
	fail(said, message, line);
}

void UnityDoubleArrays(const double *expected, const double *actual, size_t count, const char *message, UNITY_LINE_TYPE line)
{
	missing(expected, actual, message, line);
	for (size_t i = 0; expected && i < count; i++)
		UnityDoubles(0.000000000001, expected[i], actual[i], 1, message, line);
}

void UnityFloatArrays(const float *expected, const float *actual, size_t count, const char *message, UNITY_LINE_TYPE line)
{
	missing(expected, actual, message, line);
	for (size_t i = 0; expected && i < count; i++)
		UnityDoubles(0.00001, expected[i], actual[i], 1, message, line);
}
