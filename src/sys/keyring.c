/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"
#include "core/text.h"
#include "sys/syscalls.h"

#define PARAMETER "/sys/module/dm_verity/parameters/require_signatures"
#define KEYS "/proc/keys"
#define LINE_SIZE 512u
#define MEMBERS_MAX 512u      /* keys of one keyring that are looked at */
#define DESCRIPTION_MAX 1024u /* bytes of "type;uid;gid;permissions;description" with NUL */
#define KEY_ID_TEXT (2 * sizeof(((struct signer *)0)->key_id) + 1)

bool keyring_kernel_checks(void)
{
	return access(PARAMETER, F_OK) == 0;
}

/* ---- looking into keyrings ----------------------------------------------------------------- */

/* "type;uid;gid;permissions;description", in the kernel's own words. */
static bool describe(int32_t key, char description[DESCRIPTION_MAX])
{
	const long size = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, description, DESCRIPTION_MAX,
				  0);

	return size > 0 && size <= (long)DESCRIPTION_MAX && description[size - 1] == '\0';
}

/*
 * Is it a keyring that dm-verity trusts? Names that begin with a dot are the kernel's own: add_key(2) refuses them.
 * Asked by number, for what /proc/keys says of it may be part of another key's description, newline and all.
 */
static bool is_trusted_keyring(int32_t key)
{
	static const char *const names[] = { ".builtin_trusted_keys", ".secondary_trusted_keys",
					     ".machine", ".platform", ".dm-verity" };
	char description[DESCRIPTION_MAX];
	const char *name;

	if (!describe(key, description) ||
	    strncmp(description, "keyring;", strlen("keyring;")) != 0)
		return false;
	name = strrchr(description, ';') + 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The number that a line of /proc/keys begins with (security/keys/proc.c); 0 where it has none. */
static int32_t number_of(const char *line)
{
	uint8_t serial[4];

	if (!hex_decode(line, strcspn(line, " \n"), serial, sizeof(serial)))
		return 0;
	return (int32_t)((uint32_t)serial[0] << 24 | (uint32_t)serial[1] << 16 |
			 (uint32_t)serial[2] << 8 | serial[3]);
}

/* Does the kernel call this key "SUBJECT: IDENTIFIER", with this identifier? */
static bool is_called(int32_t key, const char *identifier)
{
	char description[DESCRIPTION_MAX];
	const char *last = describe(key, description) ? strrchr(description, ' ') : NULL;

	return last != NULL && strcmp(last + 1, identifier) == 0;
}

static bool holds(int32_t keyring, const char *identifier)
{
	int32_t members[MEMBERS_MAX];
	const long size = syscall(SYS_keyctl, KEYCTL_READ, keyring, members, sizeof(members), 0);
	size_t count;

	if (size <= 0)
		return false;
	/* More than there is room for is what the kernel may say, and leaves the room as it was. */
	count = (size_t)size > sizeof(members) ? 0 : (size_t)size / sizeof(members[0]);
	for (size_t i = 0; i < count; i++)
		if (is_called(members[i], identifier))
			return true;
	return false;
}

bool keyring_knows(const struct signer *signer)
{
	char identifier[KEY_ID_TEXT];
	char line[LINE_SIZE];
	struct text text;
	bool known = false;
	FILE *keys;

	if (signer->key_id_size == 0 || signer->key_id_size > sizeof(signer->key_id))
		return false;
	text_init(&text, identifier, sizeof(identifier));
	text_hex(&text, signer->key_id, signer->key_id_size);
	keys = fopen(KEYS, "re");
	if (keys == NULL)
		return false;
	while (!known && fgets(line, sizeof(line), keys) != NULL) {
		const int32_t key = number_of(line);

		known = key != 0 && is_trusted_keyring(key) && holds(key, identifier);
	}
	(void)fclose(keys);
	return known;
}

/* ---- handing a signature over -------------------------------------------------------------- */

struct verdict keyring_lend(const char *description, const uint8_t *signature, size_t size,
			    struct keyring_loan *loan)
{
	const long key = syscall(SYS_add_key, "user", description, signature, size,
				 KEY_SPEC_THREAD_KEYRING);

	if (key <= 0)
		return verdict_errno(REASON_KERNEL_KEYRING, errno);
	loan->key = (int32_t)key;
	return verdict(REASON_ACCEPTED);
}

/* If that fails the key stays until this process ends, which hurts nobody. */
void keyring_take_back(struct keyring_loan *loan)
{
	const int saved = errno;

	if (loan->key != 0)
		(void)syscall(SYS_keyctl, KEYCTL_UNLINK, loan->key, KEY_SPEC_THREAD_KEYRING, 0, 0);
	*loan = KEYRING_NO_LOAN;
	errno = saved;
}
