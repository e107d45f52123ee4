/* System calls without the C library, whose functions a submission's header
 * could replace. */
#ifndef GT_SYSTEM_H
#define GT_SYSTEM_H
#include <sys/syscall.h>

static long gt_sys(long n, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	long r;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return r;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
#else
#error "this processor is not known"
#endif
}

static unsigned gt_len(const char *s)
{
	unsigned n = 0;
	while (s[n])
		n++;
	return n;
}

static int gt_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void gt_write(int fd, const char *p, unsigned n)
{
	while (n > 0) {
		long w = gt_sys(SYS_write, fd, (long)p, n, 0, 0);
		if (w == -4)
			continue;
		if (w <= 0)
			return;
		p += w;
		n -= (unsigned)w;
	}
}

/* gt_hex writes the bytes as hexadecimal digits. */
static unsigned gt_hex(char *out, const char *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[(unsigned char)p[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
	}
	return 2 * n;
}
#endif
