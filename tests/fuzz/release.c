/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os-release of the host, a NUL, extension-release. Asserted: outputs on success only, values end within their
 * fields, and the rules of a match hold for what was accepted.
 */
#include "core/release.h"
#include "fuzz.h"

static bool is_string(const char value[RELEASE_VALUE_MAX])
{
	return memchr(value, 0, RELEASE_VALUE_MAX) != NULL;
}

static bool parse(const uint8_t *bytes, size_t size, struct release *release)
{
	char *copy = (char *)fuzz_copy(bytes, size);
	static struct release before;
	struct verdict v;

	memset(release, 0x5a, sizeof(*release));
	before = *release;
	v = release_parse(copy, size, release);
	free(copy);
	if (!is_accepted(v)) {
		holds(v.reason == REASON_RELEASE_MALFORMED);
		holds(memcmp(release, &before, sizeof(before)) == 0);
		return false;
	}
	holds(is_string(release->id) && is_string(release->id_like) &&
	      is_string(release->version_id) && is_string(release->architecture));
	for (unsigned i = 0; i < CLASSES; i++) {
		holds(is_string(release->level[i]) && is_string(release->scope[i]));
		holds(release->has_scope[i] || release->scope[i][0] == 0);
	}
	return true;
}

/* Is it one of the words of the list? */
static bool has_word(const char *list, const char *word)
{
	const size_t size = strlen(word);

	for (const char *at = list; size > 0 && (at = strstr(at, word)) != NULL; at++)
		if ((at == list || strchr(" \t\n\r", at[-1])) && strchr(" \t\n\r", at[size]))
			return true;
	return false;
}

static void check_match(const struct release *host, const struct release *extension,
			enum extension_class class, enum arch arch, const char *scope)
{
	const struct verdict v = release_match(host, extension, class, arch, scope);
	const bool any = strcmp(extension->id, "_any") == 0;

	holds(v.reason == release_match(host, extension, class, arch, scope).reason);
	if (!is_accepted(v)) {
		holds(fuzz_group(v) == 7);
		return;
	}
	holds(extension->id[0] != 0);
	holds(any || strcmp(host->id, extension->id) == 0 ||
	      has_word(host->id_like, extension->id));
	if (extension->has_scope[class])
		holds(has_word(extension->scope[class], scope));
	if (extension->architecture[0] && strcmp(extension->architecture, "_any") != 0)
		holds(strcmp(extension->architecture, arch == ARCH_X86_64 ? "x86-64" : "arm64") ==
		      0);
	if (!any && host->level[class][0] && extension->level[class][0])
		holds(strcmp(host->level[class], extension->level[class]) == 0);
	else if (!any && host->version_id[0])
		holds(strcmp(host->version_id, extension->version_id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(bytes, 0, size) : NULL;
	const size_t first = nul ? (size_t)(nul - bytes) : size;
	static struct release host, extension;
	bool good = parse(bytes, first, &host);

	if (!nul)
		return 0;
	good = parse(nul + 1, size - first - 1, &extension) && good;
	if (!good)
		return 0;
	check_match(&host, &extension, CLASS_SYSEXT, ARCH_X86_64, RELEASE_SCOPE_SYSTEM);
	check_match(&host, &extension, CLASS_CONFEXT, ARCH_ARM64, RELEASE_SCOPE_SYSTEM);
	check_match(&host, &extension, CLASS_SYSEXT, ARCH_X86_64, "initrd");
	return 0;
}
