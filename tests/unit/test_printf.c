/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deps/printf, which the program has in place of musl's: the same texts as this machine's C
 * library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

int own_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
int own_vfprintf(FILE *stream, const char *format, va_list arguments);

#define vsnprintf own_vsnprintf
#define vfprintf own_vfprintf
#include "../../src/deps/printf.c"
#undef vsnprintf
#undef vfprintf

#define TEXT_MAX 2048u

static void check(const char *format, ...)
{
	static char own[TEXT_MAX], other[TEXT_MAX];
	va_list arguments;
	int own_size, other_size;

	va_start(arguments, format);
	own_size = own_vsnprintf(own, sizeof(own), format, arguments);
	va_end(arguments);
	va_start(arguments, format);
	other_size = vsnprintf(other, sizeof(other), format, arguments);
	va_end(arguments);
	assert_string_equal(own, other);
	assert_int_equal(own_size, other_size);
}

static void prints_texts(void **state)
{
	(void)state;
	check("");
	check("plain");
	check("%s", "");
	check("%s and %s, 100 %%", "one", "two");
	check("%5s|%-5s|%5s|%-5s|", "abc", "abc", "abcdefg", "abcdefg");
	check("%*s|%-*s|%*s|", 8, "right", 8, "left", -8, "left");
	check("%.3s|%.0s|%.10s|%.*s|%.*s|%8.2s|", "abcdef", "abc", "abc", 2, "xyz", -1, "all",
	      "abcdef");
	check("%c%c|%3c|%-3c|", 'a', '%', 'b', 'c');
}

/* As a caller may who has no NUL behind what is to be printed. */
static void reads_no_further_than_asked(void **state)
{
	char *bytes = malloc(3);

	(void)state;
	memcpy(bytes, "abc", 3);
	check("%.3s|%.*s", bytes, 2, bytes);
	free(bytes);
}

static void prints_numbers(void **state)
{
	static const long numbers[] = { 0,	   1,	       -1,	  9,	    10,
					99,	   100,	       -100,	  4096,	    INT32_MAX,
					INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const long n = numbers[i];

		check("%d %u %x %X", (int)n, (unsigned)n, (unsigned)n, (unsigned)n);
		check("%ld %lu %lx %lX", n, (unsigned long)n, (unsigned long)n, (unsigned long)n);
		check("%lld %llu %zu %jd %ju %td", (long long)n, (unsigned long long)n, (size_t)n,
		      (intmax_t)n, (uintmax_t)n, (ptrdiff_t)n);
		check("%5d|%-5d|%05d|%1d|", (int)n, (int)n, (int)n, (int)n);
		check("%25ld|%-25ld|%025ld|%*ld|", n, n, n, -25, n);
		check("%02x|%08x|%8x|%-8x|%020lx|", (unsigned)n, (unsigned)n, (unsigned)n,
		      (unsigned)n, (unsigned long)n);
	}
}

static int print_to(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int total;

	va_start(arguments, format);
	total = own_vsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return total;
}

static void cuts_what_has_no_room(void **state)
{
	char buffer[4] = "???";

	(void)state;
	assert_int_equal(print_to(buffer, sizeof(buffer), "%d-%s", 12, "abc"), 6);
	assert_string_equal(buffer, "12-");
	assert_int_equal(print_to(buffer, 1, "%s", "abc"), 3);
	assert_string_equal(buffer, "");
	assert_int_equal(print_to(NULL, 0, "%s", "abc"), 3);
}

static int print_stream(FILE *stream, const char *format, ...)
{
	va_list arguments;
	int total;

	va_start(arguments, format);
	total = own_vfprintf(stream, format, arguments);
	va_end(arguments);
	return total;
}

/* More than the piece that a stream is given at once, in every phase of it. */
static void prints_to_a_stream(void **state)
{
	static char text[TEXT_MAX], wanted[TEXT_MAX];
	FILE *stream = tmpfile();

	(void)state;
	for (int width = 250; width < 260; width++) {
		rewind(stream);
		assert_int_equal(
			print_stream(stream, "%*d|%s|%0*x\n", width, 42, "text", 2 * width, 42u),
			snprintf(wanted, sizeof(wanted), "%*d|%s|%0*x\n", width, 42, "text",
				 2 * width, 42u));
		rewind(stream);
		memset(text, 0, sizeof(text));
		assert_true(fread(text, 1, strlen(wanted), stream) == strlen(wanted));
		assert_string_equal(text, wanted);
	}
	fclose(stream);
}

static void tells_that_a_stream_fails(void **state)
{
	FILE *stream = fopen("/dev/full", "w");

	(void)state;
	setvbuf(stream, NULL, _IONBF, 0);
	assert_int_equal(print_stream(stream, "%s", "text"), -1);
	fclose(stream);
}

/* A conversion that is left out must not go unnoticed. */
static void ends_at_what_it_does_not_know(void **state)
{
	static const char *const formats[] = { "%f", "%p", "%n", "%i", "%", "%hd", "%+d", "%#x" };

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const pid_t child = fork();
		char buffer[64];
		int status;

		if (child == 0) {
			print_to(buffer, sizeof(buffer), formats[i], 1);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_texts),
		cmocka_unit_test(reads_no_further_than_asked),
		cmocka_unit_test(prints_numbers),
		cmocka_unit_test(cuts_what_has_no_room),
		cmocka_unit_test(prints_to_a_stream),
		cmocka_unit_test(tells_that_a_stream_fails),
		cmocka_unit_test(ends_at_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
